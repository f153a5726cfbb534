#!/bin/bash
# A large tree that is only read.
find /usr/lib -name '*.so*' 2>/dev/null | sort | tail -3
find /usr/lib 2>/dev/null | sort | md5sum
find /usr/share/doc -maxdepth 1 | wc -l
ls -l /usr/bin | awk '{ print $1, $5, $NF }' | md5sum
du -s --apparent-size /usr/share/perl5 | cut -f1
grep -rl 'GNU General Public' /usr/share/common-licenses | sort | tail -3
stat -c '%n %s %a %F %h' /usr/bin/env /etc/passwd /usr/lib /bin
