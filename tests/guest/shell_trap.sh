#!/bin/bash
# Traps, background jobs, waits.
trap 'echo exit trap' EXIT
trap 'echo usr1' USR1
kill -USR1 $$
(sleep 0.05; exit 3) & first=$!
(exit 4) & second=$!
wait $first; echo "first $?"
wait $second; echo "second $?"
sleep 30 & victim=$!
sleep 0.2  # before it is a sleep it is a shell, which would run the exit trap
kill $victim; wait $victim 2>/dev/null; echo "victim $?"
( trap '' TERM; kill -TERM $BASHPID; echo survived )
( trap 'echo child trap; exit 7' TERM; kill -TERM $BASHPID; echo no ); echo "subshell $?"
bash -c 'kill -9 $$' 2>/dev/null; echo "killed $?"
coproc CO { read -r line; echo "co got $line"; }
echo hello >&"${CO[1]}"; read -r answer <&"${CO[0]}"; echo "$answer"; wait
set -m; sleep 0.01 & wait %1; echo "job $?"; set +m
timeout 0.1 sleep 10; echo "timeout $?"
for i in 1 2 3 4 5; do (exit $i) & done; wait; echo all
