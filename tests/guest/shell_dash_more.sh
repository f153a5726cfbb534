#!/bin/dash
# dash: signals, jobs, redirections, set -e.
set -e; f() { return 3; }; f || echo "f $?"; set +e
(set -e; false; echo not reached); echo "sub $?"
trap 'echo int' INT; kill -INT $$; trap - INT
sleep 5 & p=$!; kill $p; wait $p; echo "killed $?"
exec 3> log; echo a >&3; { echo b; echo c; } >&3; exec 3>&-; cat log
x=$(cat << EOF
in here
EOF
); echo "$x"; cat 0< log 1> log2; cmp log log2 && echo same
i=0; while [ $i -lt 500 ]; do i=$((i + 1)); done; echo $i
echo "a:b:c" | (IFS=:; read -r one two three; echo "$three")
ulimit -f 1; (dd if=/dev/zero of=big bs=1024 count=100 2> /dev/null); echo "limited $(( $? > 0 )) $(wc -c < big)"
command -v nosuch || echo none; : > empty; [ -s empty ] || echo empty; test -x /bin/sh && echo x
umask 077; : > private; ls -l private | cut -c1-10; echo ${#HOME} "$-" > /dev/null; printf '%d %s\n' 3 x
