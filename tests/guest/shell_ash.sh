#!/bin/sh
# busybox: its shell and its own tools.
cat > script << 'EOF'
f() { local x=$1; [ "$x" -gt 0 ] && { echo $x; f $((x - 1)); }; }
f 4; trap 'echo bye' EXIT; (exit 3); echo $?
for i in 1 2 3; do echo $i & wait; done; echo a b c | { read x y; echo $y; }
sleep 0.05 & wait $!; echo $?; cat << X
doc $((1 + 2))
X
kill -TERM $$ & trap 'echo term' TERM; wait
EOF
busybox ash script
mkdir -p d/e; for i in 1 2 3; do busybox dd if=/dev/zero of=d/e/$i bs=1000 count=$i 2> /dev/null; done
busybox tar -cf t.tar d && busybox tar -tf t.tar | busybox sort
busybox find d -type f -size +1 | busybox sort; busybox du -a d | busybox awk '{print $2}' | busybox sort
busybox gzip -c t.tar > t.tar.gz && busybox gunzip -c t.tar.gz | busybox cmp - t.tar && echo same
busybox seq 5 | busybox tac | busybox xargs echo; echo hello | busybox sed 's/l/L/g' | busybox tr a-z A-Z
busybox md5sum t.tar | cut -d' ' -f2-; busybox stat -c '%a %F %s' d/e/2; busybox ls -1 d/e; busybox id -u; busybox uname -s
busybox timeout 1 busybox sleep 5; echo $?; busybox mktemp -u x.XXXXXX | wc -c; busybox cp -a d d2 && busybox diff -r d d2 && echo equal
busybox vi --help > /dev/null 2>&1; echo $?
