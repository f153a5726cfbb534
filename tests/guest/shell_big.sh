#!/bin/bash
# A long script of everything that scripts do: functions, arrays, arithmetic, globbing, here-documents, getopts, traps.
set -u
declare -A count; while read -r word; do ((count[$word]++)); done < <(printf '%s\n' a b a c b a)
for k in $(printf '%s\n' "${!count[@]}" | sort); do echo "$k=${count[$k]}"; done
fib() { local n=$1; ((n < 2)) && { echo $n; return; }; echo $(( $(fib $((n - 1))) + $(fib $((n - 2))) )); }
fib 7
a=(); for ((i = 0; i < 100; i++)); do a+=($((i * i % 17))); done; printf '%s\n' "${a[@]}" | sort -n | uniq -c | awk '{print $2 ":" $1}' | tr '\n' ' '; echo
s='The quick brown fox'; echo "${s,,} ${s^^} ${s//o/0} ${s:4:5} ${#s} ${s%% *} ${s##* }"
[[ $s =~ ([a-z]+)\ ([a-z]+)$ ]] && echo "${BASH_REMATCH[1]}/${BASH_REMATCH[2]}"
mkdir -p g/{a,b}/{1,2}; touch g/a/1/{x,y}.c g/b/2/z.c; shopt -s globstar nullglob extglob
echo g/**/*.c; echo g/!(a); echo none*
parse() { local OPTIND o; while getopts ab:c o "$@"; do echo "opt $o ${OPTARG-}"; done; shift $((OPTIND - 1)); echo "rest $*"; }
parse -a -b value -c file1 file2
cat > t.txt << EOF
here $((6 * 7)) $(echo sub) `echo old`
EOF
cat <<- 'EOF' >> t.txt
	no $expansion here
EOF
cat t.txt; cat <<< "here string"
trap 'echo "line trap: $?"' ERR; false; trap - ERR
(trap 'echo leaving' EXIT; exit 3); echo $?
for sig in HUP INT TERM USR1; do (trap "echo caught $sig; exit 5" $sig; kill -$sig $BASHPID; sleep 5); echo "= $?"; done
exec 7> seven; for i in {1..50}; do echo $i >&7; done; exec 7>&-; wc -l < seven
{ echo a; echo b >&2; } 2> err | cat; cat err
out=$( (echo one; exit 4) ); echo "$out $?"
x=5; (x=6; echo $x); echo $x; : "${y:=default}"; echo $y
case $s in *quick*) echo quick;;& *fox) echo fox;; *) echo no;; esac
printf '%05d|%-8s|%x|%e|%q\n' 42 left 255 3.14159 'a b'
time_taken=$SECONDS; ((time_taken < 100)) && echo quickly
ulimit -n > /dev/null && echo limits; umask 027; touch masked; stat -c %a masked; umask 022
select_one() { echo "$1"; }; export -f select_one; bash -c 'select_one exported'
seq 200 | while read -r n; do if ((n % 50 == 0)); then echo "at $n"; fi; done
readonly r=1; (r=2) 2> /dev/null || echo "readonly holds"
echo $(( 2 ** 62 )) $(( 7 / -2 )) $(( -7 % 3 )) $(( 1 << 40 )) $(( 0x1f ^ 010 ))
printf '%s\n' {a..e}{1..3} | sort -r | head -4 | xargs echo
env -i A=1 B=2 bash -c 'echo $A $B ${HOME-unset}'
type -t cd ls fib | tr '\n' ' '; echo; command -v sh
hash -r; ls > /dev/null; echo $?; nosuchcommand 2> /dev/null; echo $?; ./t.txt 2> /dev/null; echo $?
