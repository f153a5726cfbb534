#!/bin/bash
# find over the system's own libraries, and every test that find has.
find /usr/lib/x86_64-linux-gnu -maxdepth 2 | sort | tail -5; find /usr/lib/python3 -name '*.py' | sort | md5sum; find /usr/share/perl | sort | md5sum
find /usr/include -type f -printf '%s %P\n' | sort | md5sum; find /usr/bin -type l -printf '%p %l\n' | sort | md5sum; find /etc/alternatives -printf '%y %p\n' 2> /dev/null | head -0
mkdir -p t/a/b/c; touch t/a/1 t/a/b/2 t/a/b/c/3; ln -s ../1 t/a/b/link; ln -s gone t/broken; mkfifo t/p; chmod 600 t/a/1; touch -d '2001-02-03' t/a/b/2; truncate -s 5000 t/a/b/c/3
p() { echo "== $*"; find t "$@" | sort; }
p -type f; p -type l; p -xtype l; p -type p; p -name '[12]'; p -perm 600; p -size +4k; p -newer t/a/b/2 -type f; p -empty; p -depth; p -path '*/b/*'; p -regex '.*/[0-9]'
p -mindepth 2 -maxdepth 2; p -links 1 -type f; p -user root -type d; p -not -type d; p -samefile t/a/1; p \( -name a -prune \) -o -print; p -lname '../*'; p -L -type f 2> /dev/null
find -L t -type f | sort; find t -type f -exec stat -c '%n %s' {} + | sort; find t -name 3 -execdir pwd \; | sed 's|.*/t|t|'; find t -type f -delete; p -type f; find t -depth -delete; ls t 2> /dev/null || echo gone
