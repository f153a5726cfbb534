#!/bin/bash
# What larger bash scripts use: arrays, traps in functions and subshells, wait -n, printf, mapfile, namerefs, coprocesses' ends.
declare -A ages=([ann]=31 [bob]=27 [cy]=44); for name in $(printf '%s\n' "${!ages[@]}" | sort); do printf '%-5s|%3d|%#x|%q\n' "$name" "${ages[$name]}" "${ages[$name]}" "$name's"; done
list=(one "two words" three); list+=(four); unset 'list[1]'; echo "${#list[@]} ${!list[*]} ${list[*]:1:2} ${list[-1]}"; mapfile -t lines < <(seq 3 7); echo "${lines[@]/#/n}" "${lines[*]: -2}"
ref() { local -n target=$1; target+=(added); }; ref list; echo "${list[@]@Q}"
trap 'echo "exit trap, status $?"' EXIT; trap 'echo err at $LINENO' ERR; false; (trap 'echo inner exit' EXIT; exit 3); echo "after $?"; trap - ERR
trap 'echo got USR1' USR1; kill -USR1 $$; (kill -USR1 $BASHPID; echo not reached); echo "subshell $?"
sleep 0.05 & first=$!; (exit 7) & second=$!; wait $second; echo "second $?"; wait $first; echo "first $?"; (sleep 0.02; exit 4) & wait -n; echo "wait -n $?"; wait -n; echo "none $?"
(sleep 30 & echo $! > pid; wait; echo never) & job=$!; until [ -s pid ]; do sleep 0.01; done; kill "$(cat pid)"; wait $job; echo "killed inside: $?"
{ echo to stdout; echo to stderr >&2; } 2>&1 | sort; { { echo swapped >&2; } 3>&1 1>&2 2>&3 3>&-; } 2>/dev/null | cat; exec {fd}<<< "here"; read -r -u "$fd" word; echo "$word"; exec {fd}<&-
set -o pipefail; false | true; echo "pipefail $?"; true | (exit 9) | true; echo "${PIPESTATUS[@]}"; set +o pipefail
printf '%s %b %05.2f %(%Y)T\n' a 'b\tc' 3.14159 0; printf -v text '%*s' 6 x; echo "[$text]"; echo {a..e..2}{1,2} ${text// /_}; [[ "key=value" =~ ^([a-z]+)=(.*)$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
i=0; while read -r -d, part || [ "$part" ]; do i=$((i + 1)); echo "$i:$part"; done <<< "x,y z,,last"; shopt -s extglob nullglob; touch f1 f2 g.txt; echo !(f*|pid) @(f1|f2) nothing*; case abc in a?(b)c) echo case;; esac
timeout 0.1 sleep 5; echo "timeout $?"; timeout -s KILL 0.1 bash -c 'trap "" TERM; sleep 5' 2>/dev/null; echo "killed $?"; ulimit -n 64; ulimit -n; time_out=$(TIMEFORMAT=%0R; { time :; } 2>&1); echo "$time_out"
exec 2>/dev/null; bash -c 'kill -SEGV $$'; echo "segv $?"; bash -c 'exec nothere'; echo "exec $?"; ./g.txt; echo "not executable $?"; exit 5
