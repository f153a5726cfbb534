#!/bin/bash
# read: timeouts, single characters, delimiters, arrays, no input.
mkfifo fifo; exec 3<>fifo
read -r -t 0.1 x <&3; echo "timeout $(( $? > 128 )) [$x]"
printf 'par' >&3; read -r -t 0.1 x <&3; echo "part $(( $? > 128 )) [$x]"
printf 'ab' >&3; read -r -n 1 x <&3; read -r -n 1 y <&3; echo "$x-$y"
printf 'k:v:w' >&3; read -r -d : x <&3; read -r -d : y <&3; read -r -N 1 z <&3; echo "$x $y $z"
read -r -t 0 <&3; echo "nothing there $?"
echo >&3; read -r -t 0 <&3; echo "something there $?"; read -r <&3
(sleep 0.1; echo later >&3) & read -r -t 5 x <&3; echo "$x"; wait
read -r x < /dev/null; echo "end $?"
IFS=, read -ra parts <<< 'a,b,,d'; echo "${#parts[@]} ${parts[3]}"
mapfile -t lines < <(seq 5); echo "${#lines[@]} ${lines[*]}"
mapfile -n 2 -s 1 -t lines <<< $'a\nb\nc\nd'; echo "${lines[*]}"
read -r -u 3 -t 0.05 || echo none; exec 3>&-
