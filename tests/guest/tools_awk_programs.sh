#!/bin/bash
# awk programs of some size: associative arrays, functions, pipes in both directions, formatted reports.
seq 1 500 | awk 'function gcd(a, b) { return b ? gcd(b, a % b) : a } { g[gcd($1, 360)]++ } END { for (k in g) print k, g[k] | "sort -n"; close("sort -n"); print "done" }'
awk -F: '{ shells[$NF]++ } END { n = 0; for (s in shells) n += shells[s]; print n == NR }' /etc/passwd
printf 'a 1\nb 2\na 3\nc 4\nb 5\n' | awk '{ sum[$1] += $2; list[$1] = list[$1] " " $2 } END { for (k in sum) printf "%s=%d:%s\n", k, sum[k], list[k] | "sort" }'
awk 'BEGIN { while ((getline line < "/etc/passwd") > 0) if (split(line, f, ":") == 7) n++; print n > 0; "date -u -d @86400 +%F" | getline d; print d; print substr("hello", 2, 3), match("foobar", /o+/), RSTART, RLENGTH; x = "aXbX"; gsub(/X/, "-", x); print x; print tolower("ABC") toupper("def"), length("four"), int(7.9), sprintf("%03d|%-5s|%5.1f", 7, "ab", 2.345) }'
seq 10 | awk 'NR % 2 { next } { print > "even.txt" } END { close("even.txt"); while ((getline l < "even.txt") > 0) t += l; print t }'; awk 'BEGIN { printf "no newline" }'; echo; awk 'BEGIN { exit 3 }'; echo $?; echo 'k=v;x=y' | awk 'BEGIN { RS = ";" } { split($0, p, "="); print p[1], p[2] }' | head -2; awk -v n=5 'BEGIN { for (i = 1; i <= n; i++) { s = ""; for (j = 1; j <= i; j++) s = s "*"; print s } }'
