#!/bin/bash
# tar through gzip and xz and back; nothing may be lost.
mkdir -p tree/{a,b}/{c,d}; for i in $(seq 1 60); do head -c $((i * 997)) /dev/zero | tr '\0' "$((i % 10))" > "tree/a/c/$i"; done
ln -s ../a tree/b/link; ln tree/a/c/1 tree/hard; chmod 751 tree/a/d; touch -d @1000000000 tree/a/c/5
sum() { (cd "$1" && find . -type f | sort | xargs md5sum | md5sum); }
sum tree
for z in gzip xz; do
	tar -c tree | $z -1 > tree.$z && mkdir $z && $z -dc tree.$z | tar -x -C $z && sum $z/tree
	stat -c '%n %a %Y' $z/tree/a/c/5 ; stat -c '%n %a %h' $z/tree/a/d $z/tree/hard; readlink $z/tree/b/link
done
tar -czf t.tgz tree && tar -tzf t.tgz | wc -l
rm -r gzip xz tree && ls
