#!/bin/bash
# Background jobs: wait -n, wait -p, jobs tables, kill by job, disown.
for i in 1 2 3; do (sleep 0.$((i * 3)); exit $((i + 10))) & done
seen=0; while wait -n -p pid; rc=$?; ((rc != 127)); do ((seen += rc)); done; echo "sum of statuses $seen"
sleep 30 & a=$!; sleep 3 & b=$!; sleep 0.2
jobs | sed 's/ *&$//' | wc -l
kill %1; wait %1 2>/dev/null; echo "first $?"
kill -INT $b; wait $b 2>/dev/null; echo "second $?"
(sleep 0.05; exit 9) & wait -n $!; echo "one of one $?"
wait 99999999 2>/dev/null; echo "unknown $?"
( sleep 2; exit 1 ) & ( sleep 0.3; exit 2 ) & wait -n; echo "quickest $?"; wait
set -m
sleep 30 & sleep 0.2; kill -STOP %%; sleep 0.05; jobs -s | wc -l; kill -CONT %%; kill %%; wait %% 2>/dev/null; echo "stopped and killed $?"
set +m
trap 'echo got usr2' USR2; (sleep 0.1; kill -USR2 $$) & wait; echo "wait was interrupted $(( $? > 128 ))"; wait
trap 'echo child went' CHLD; true & wait; trap - CHLD
{ sleep 0.1; echo late; } & echo early; wait
disown -a; jobs
