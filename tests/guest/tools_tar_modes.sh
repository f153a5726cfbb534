#!/bin/bash
# tar with sparse files, hard links, long names, appending, incremental archives, transformations.
mkdir -p s; truncate -s 3M s/sparse; printf x | dd of=s/sparse bs=1 seek=2000000 conv=notrunc 2> /dev/null; printf end >> s/sparse
tar -S -cf s.tar s && [ $(stat -c %s s.tar) -lt 100000 ] && echo small; mkdir o; tar -C o -xf s.tar; cmp s/sparse o/s/sparse && echo same
long=$(printf 'n%.0s' {1..200}); mkdir -p "s/$long"; touch "s/$long/$long"; tar -cf l.tar s; tar -tf l.tar | awk '{print length}' | sort -n | tr '\n' ' '; echo
echo 1 > s/one; tar -rf l.tar s/one; tar -tf l.tar | tail -1; ln s/one s/two; tar -cf k.tar s/one s/two; tar -tvf k.tar | grep -c 'link to'
tar -g snap -cf full.tar s; echo new > s/new; tar -g snap -cf inc.tar s; tar -tf inc.tar | grep -v nnn | sort
tar --transform 's|^s|renamed|' -cf t.tar s/one && tar -tf t.tar; tar -cf - s/one | tar -xOf - ; tar --exclude '*n*' -cf e.tar s; tar -tf e.tar | sort
chmod 4755 s/one; tar -cf m.tar s/one; rm s/one; (umask 077; tar -xpf m.tar); stat -c '%a %n' s/one; tar -df m.tar && echo no difference
tar --owner=7 --group=8 -cf u.tar s/two; tar --numeric-owner -tvf u.tar | awk '{print $1, $2, $3}'; tar -xf u.tar; stat -c '%u %g' s/two
