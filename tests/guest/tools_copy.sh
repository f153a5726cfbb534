#!/bin/bash
# cp, mv, install, ln, rsync: modes, times, owners, links, sparse files, across file systems.
mkdir -p s/d/e; echo one > s/1; echo two > s/d/2; ln -s ../1 s/d/l; ln s/1 s/h; chmod 640 s/1; chown 12:34 s/d/2; touch -d @1234567890.123456789 s/1 s/d; truncate -s 1M s/sparse; mkfifo s/fifo; chmod 2755 s/d/e; touch -h -d @1600000001.5 s/d/2 s/d/l s/fifo s/sparse
show() { (cd "$1" && find . -printf '%P %y %m %U:%G %n %s %T@ %l\n' | grep -v ' d ' | sort); }
show s; cp -a s c; show c; cp -rL s/d deref; cat deref/l; cp -al s hard; stat -c %h s/1; cp -u s/1 c/1; cp --sparse=always s/sparse sp; stat -c '%s %b' sp; cp -n s/d/2 c/1; cat c/1
mv c /tmp/usbx-case.$$ && show /tmp/usbx-case.$$ && mv /tmp/usbx-case.$$ back && show back; mv -n s/1 back/1; ls s; mv -b s/1 back/1; ls back
install -m 700 -o 5 -g 6 s/d/2 inst; stat -c '%a %u %g %s' inst; install -d -m 711 x/y/z; stat -c %a x/y/z; install -D s/d/2 q/w/e; cat q/w/e; ln -sfn back link; ln -sfn s link; readlink link; ln -sr s/d/2 q/rel; readlink q/rel; ln s/d q/hd 2>&1 | sed 's/.*: //'
rsync -a s/ r/; show r; echo changed > s/d/2; rm s/sparse; touch -d @1600000002 s/d/2 s; rsync -a --delete -i s/ r/ | sort; show r | md5sum; rsync -a --checksum s/ r/ | wc -l; rsync -aH --exclude 'd*' back/ r2/; ls r2; cp -r --preserve=timestamps back p; stat -c %Y p/d; cp s s2 2>&1; cp -t q s/h back/sparse; ls q; cp --reflink=auto s/h ref && cat ref
mkdir ro; chmod 555 ro; touch ro/f && echo root may; rm -rf ro s c back r r2; ls
