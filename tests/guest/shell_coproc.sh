#!/bin/bash
# Coprocesses and talks over two pipes.
coproc BC { while read -r a op b; do case $op in +) echo $((a + b));; x) echo $((a * b));; esac; done; }
for line in '1 + 2' '6 x 7' '100 + 11'; do echo "$line" >&"${BC[1]}"; read -r answer <&"${BC[0]}"; echo "$line = $answer"; done
pid=$BC_PID; exec {BC_IN}>&"${BC[1]}"; eval "exec ${BC[1]}>&-"; exec {BC_IN}>&-
wait "$pid"; echo "coproc $?"
mkfifo to from
( while read -r x < to; do [ "$x" = quit ] && break; echo "<$x>" > from; done ) &
for word in one two three; do echo $word > to; read -r reply < from; echo $reply; done
echo quit > to; wait; rm to from
