#!/bin/bash
# The usual programs over the host's files: copies, moves, removals, edits.
show() { find "$@" -printf '%p %y %m %n %s %l\n' | grep -v ' d ' | sort; }
show . | grep -v overlay_tree | head -30 | md5sum; cp -a d copy; show copy; diff -r d copy && echo equal; rm -r d/e; show d; mv copy/e d/; show d; ls copy
sed -i s/lower/UPPER/ a; cat a d/hard; stat -c '%h' a d/hard; mv full old; mkdir full; ls old | wc -l; ls full | wc -l; rm -r old; ls -d old 2>&1; tar -c d | tar -t | sort; rm -rf d copy; ls; mkdir d; ls -A d; ln -s ../b d/link; cat d/link; truncate -s 0 b; cat way/2 2>&1; stat -c '%s %b' b big; head -c 20 big; echo; ./program; sed -i 's/lower/upper/' program; ./program; chmod -x program; ./program 2>&1 | sed 's/.*: //'; find . -newer a -type f | sort; rm -rf ./*; ls -A; echo new > big; cat big; ls
