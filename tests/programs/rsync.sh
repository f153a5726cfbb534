# rsync between local trees: links, modes, times, sparse and hard-linked files, deletion, filters, dry runs, checksums
# needs: rsync
# Sparse: of 3 MiB (6144 blocks) one piece is there, 4 KiB of ext4 or 64 KiB of ours.
mkdir -p a/deep/er && cd a
for i in $(seq 200); do head -c $((i * 37)) /dev/zero | tr '\0' "$(printf "\\$(printf %o $((97 + i % 26)))")" > f$i; done; ln -s f1 link; ln f2 hard; truncate -s 3M sparse; echo end >> sparse; mkfifo fifo; chmod 4755 f3; chmod 000 f4; touch -d 2001-02-03T04:05:06Z f5 deep; cp f6 deep/er; cd ..
list() { (cd $1; find . -printf '%P %y %m %s %n %TY-%Tm-%Td %l\n' | grep -v '^ d' | awk '{ if ($2 == "d") $4 = 0; if ($1 != "f5" && $1 != "deep") $6 = ""; print }' | sort) | md5sum; }
rsync -aH --sparse a/ b; list a; list b; [ $(stat -c %b b/sparse) -le 128 ] && echo sparse; diff -r --no-dereference a b --exclude fifo && echo same
rsync -ain a/ b | wc -l; echo changed >> a/f7; rm a/f8; touch -d 2010-01-01 a; rsync -ai --delete a/ b | sort; rsync -a --checksum --itemize-changes a/ b; touch a/f9; rsync -an --size-only -i a/ b | wc -l
rsync -a --exclude 'f1*' --include '*/' a/ c; ls c | wc -l; rsync -a --remove-source-files c/ d; find c -type f | wc -l; rsync -a --backup --suffix=.old --inplace a/f7 b/f10; echo x > b/f11; rsync -ab --suffix .old a/f11 b/; ls b/*.old
rsync -a --link-dest=$PWD/b a/ e; [ "$(stat -c %i b/f20)" = "$(stat -c %i e/f20)" ] && echo linked; rsync --stats -a a/ g | grep -E '^(Number of (files|created)|Total file size)'; rsync nothing h 2>&1 | sed 's/".*"/X/'; echo $?; rsync --list-only a/deep/ | awk '{print $1, $NF}'; rsync -a --files-from=<(printf 'f1\ndeep/er/f6\n') a i; find i -type f | sort
