#!/bin/bash
# Pipelines, substitutions, exit statuses.
set -o pipefail
seq 1 1000 | grep 7 | sort -rn | head -5
seq 1 100000 | wc -l
printf '%s\n' b a c | sort | tr -d '\n'; echo
echo "nested: $(echo "inner $(echo deep | rev)" | tr a-z A-Z)"
false | true; echo "pipefail: $? ${PIPESTATUS[*]}"
yes | head -3; echo "yes: ${PIPESTATUS[*]}"
cat <(echo one) <(echo two) | paste -sd,
exec 5> out; echo to five >&5; exec 5>&-; cat out
{ echo out; echo err >&2; } 2>&1 | sort
echo a b c | while read -r x y z; do echo "$z $y $x"; done
for i in 1 2 3; do echo $i; done | { read -r first; echo "first $first"; cat; }
seq 1 20000 | sort -R | sort -n | md5sum
wait; echo done
