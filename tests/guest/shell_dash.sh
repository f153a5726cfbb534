#!/bin/sh
# The same in dash: what scripts of packages use.
set -eu
dir=$(mktemp -d /tmp/dash.XXXXXX)
cd "$dir"
for f in a b c; do echo "$f" > "$f"; done
ls | tr '\n' ' '; echo
[ -f a ] && [ ! -d a ] && echo file
case "$(uname -s)" in Linux) echo linux;; esac
x=$((6 * 7)); echo "$x"
cp a d; mv d e; ln -s e l; cat l; rm -f e; cat l 2>/dev/null || echo dangling
find . -type f | sort
(umask 077; : > private; stat -c %a private)
touch -d '2001-02-03 04:05:06 UTC' old; stat -c %Y old
test old -ot a && echo older
cd /; rm -r "$dir"; [ -d "$dir" ] || echo removed
