#!/bin/bash
# sed scripts: hold space, branches, files, in-place edits that keep modes and links.
seq 5 | sed -n '1!G;h;$p'; printf 'key=a\nother=b\nkey=c\n' | sed '/^key=/{s//K:/;s/$/!/}'; seq 12 | sed '4~4{s/.*/four/;n;d}'; printf 'one two\nthree\n' | sed 'N;s/\n/ + /;P;D'
printf 'BEGIN\na\nb\nEND\nc\n' | sed '/BEGIN/,/END/{/BEGIN/n;/END/!s/^/> /}'; echo abc | sed -E 's/(a)(b)(c)/\3\2\1/;s/./\U&/'; printf 'x\n' | sed 'i before
a after
c changed'; seq 3 | sed '2r /dev/stdin' <<< inserted 2> /dev/null | head -3; printf 'l1\nl2\n' > f; chmod 640 f; ln f g; sed -i 's/l/L/' f; stat -c '%a %h' f g; cat f g; sed --follow-symlinks -i 's/L1/one/' f; sed -n '$=' f; sed -i.b -e '$d' f; cat f f.b; sed -s -n '$p' f f.b; sed 'y/L2/x9/' f.b; sed -n 'l' <<< $'tab\there'; sed -z 's/\n/,/g' f.b; echo; sed 5q /etc/passwd | wc -l; sed -n '/nothing/p' f; echo $?; sed 'bad' f 2>&1 | sed 's/.*: //'
