#!/bin/bash
# Every redirection that bash knows, and what is inherited.
echo out > f; echo more >> f; cat < f; { echo 1; echo 2 >&2; } > both 2>&1; cat both; { echo 1; echo 2 >&2; } &> both; { echo 3 >&2; } &>> both; cat both; set -C; echo x > f 2> /dev/null; echo $?; echo forced >| f; set +C; cat f; exec 4<> f; read -r -u 4 l; echo "$l"; echo appended >&4; exec 4>&-; cat f; exec 5< f; cat <&5; read -r <&5; echo $?; exec 5<&-; exec 6>&1; echo six >&6; exec 6>&-; echo gone 2> /dev/null >&6; echo $?; exec {fd}> auto; echo $fd > /dev/null; echo auto >&$fd; exec {fd}>&-; cat auto; cat << A << B
first
A
second
B
cat 3<<< three <&3; (exec > sub; echo in sub); cat sub; exec 8> eight; bash -c 'echo from child >&8'; exec 8>&-; cat eight; ls -l /proc/self/fd 2> /dev/null | awk 'NR > 1 { print $9 }' | tr '\n' ' '; echo; cat /dev/fd/3 3< f; : > empty; cat empty; echo a | tee >(cat > t1) > t2; while [ ! -s t1 ]; do sleep 0.01; done; cat t1 t2; cat nofile 2>&1 1> /dev/null | sed 's/.*: //'; echo closed >&-; echo $?; (echo x >&-) 2> /dev/null; echo $?; read -r x < <(echo sub); echo "$x"; echo err >&2 2> /dev/null; { cat; } <<- X
	tabs gone
	X
for i in 1 2; do echo $i; done > loop; cat loop; while read -r l; do echo "[$l]"; done < loop; f() { echo function; } > fun; f; cat fun; >new; ls new; exec 9< <(seq 3); head -1 <&9; exec 9<&-; seq 5 | { read -r a; cat > rest; echo "$a"; }; cat rest; time -p true 2>&1 > /dev/null | wc -l; echo "$(< f)"; printf %s nonl > n; cat n; echo; wc -c < n; dd if=f 2> /dev/null | cat -A | head -1; cp /dev/stdin copied <<< stdin; cat copied; echo direct > /dev/stdout; echo e2 > /dev/stderr 2>&1
