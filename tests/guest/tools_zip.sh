#!/bin/bash
# zip, unzip, and editors without a terminal.
mkdir d; seq 500 > d/a; ln -s a d/l; chmod 754 d/a; zip -qry z.zip d && unzip -l z.zip | awk '{ print $4 }' | sort | tr '\n' ' '; mkdir o; (cd o && unzip -q ../z.zip && stat -c '%a %F' d/a d/l && cmp d/a ../d/a && echo same); unzip -p z.zip d/a | md5sum; zip -qd z.zip d/l; unzip -tq z.zip; python3 -m zipfile -l z.zip | wc -l
vim -es -u NONE -c '%s/^5$/five/' -c 'normal Goend' -c wq d/a < /dev/null > /dev/null 2>&1; grep -n five d/a; tail -1 d/a; ls -A d; less d/a < /dev/null | head -2; printf '1d\nw\nq\n' | ed -s d/a 2> /dev/null; wc -l < d/a
