#!/bin/bash
# diff, patch, cmp, comm, join, sdiff.
seq 1 30 > a; sed -e '5d' -e 's/^12$/twelve/' -e '20a inserted' a > b
diff a b; echo $?; diff -u a b | tail -n +3 > d.patch; cat d.patch; diff -y --suppress-common-lines a b; diff -q a b; diff -e a b
(echo '--- a'; echo '+++ a'; cat d.patch) > full.patch; cp a orig; patch a < full.patch; cmp a b && echo patched; patch -R a < full.patch; cmp a orig && echo back; patch --dry-run a full.patch | head -1
sed -i 's/^10$/ten/' a; patch -b a < full.patch; ls; cat a.rej 2> /dev/null | head -3; mkdir x y; cp orig x/f; cp b y/f; touch y/only; diff -r x y | head -5; diff -rN x y | tail -1; diff -ruN x y > t.patch; (cd x && patch -s -p1 < ../t.patch); diff -r x y && echo trees equal
comm -3 <(sort orig) <(sort b); join <(printf '1 a\n2 b\n') <(printf '1 x\n2 y\n'); cmp -l orig b | head -2; diff3 orig a b | head -4; diff --color=never -w <(echo 'a  b') <(echo 'a b') && echo white
