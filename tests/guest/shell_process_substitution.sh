#!/bin/bash
# <(...) and >(...), many at once, nested, and what is left of them.
diff <(seq 1 5) <(seq 1 6); echo "diff $?"
paste <(seq 3) <(seq 4 6) <(seq 7 9) | tr '\t' ' '
comm -12 <(printf '%s\n' a b c d | sort) <(printf '%s\n' b d e | sort)
echo data | tee >(tr a-z A-Z > upper) >(rev > back) > plain; for f in upper back; do while [ ! -s $f ]; do sleep 0.01; done; done; cat plain upper back
cat <(cat <(cat <(echo deep)))
while read -r a; do read -r b <&4; echo "$a$b"; done < <(printf '1\n2\n') 4< <(printf 'x\ny\n')
sort -m <(seq 1 2 9) <(seq 2 2 10) | tr '\n' ' '; echo
f() { wc -l < "$1"; }; f <(seq 1000)
[ -p <(:) ] && echo pipe; [ -e /dev/fd/0 ] && echo there
for i in {1..30}; do cat <(echo $i); done | md5sum
ls /proc/self/fd | wc -l
