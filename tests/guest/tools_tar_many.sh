#!/bin/bash
# A few thousand files through tar and every packer, and back.
tar -C /usr/include -cf h.tar linux x86_64-linux-gnu asm-generic && tar -tf h.tar | wc -l
for z in "gzip -1" "xz -0" "zstd -q -1" "bzip2 -1"; do
	set -- $z; "$@" -c < h.tar > h.$1 && $1 -dc < h.$1 | cmp - h.tar && echo "$1 same"
done
mkdir -p out/include; tar -C out/include -xf h.tar; diff -r /usr/include/linux out/include/linux && echo "tree is the same"
(cd /usr/include && find linux x86_64-linux-gnu asm-generic -type f -printf '%P %m %s %T@\n' | sort | md5sum); (cd out/include && find * -type f -printf '%P %m %s %T@\n' | sort | md5sum)
tar -C /usr/share/perl --zstd -cf p.tzst . && tar --zstd -tf p.tzst | sort | md5sum; tar -C out -xf p.tzst ./5.36.0/strict.pm && cmp /usr/share/perl/5.36.0/strict.pm out/5.36.0/strict.pm && echo one
rm -r out && ls
