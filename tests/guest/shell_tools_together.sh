#!/bin/bash
# perl, python, awk, sed, sort and friends in long pipelines, feeding each other through pipes, FIFOs and files.
seq 1 20000 | perl -ne 'print scalar reverse($_)' | tr -d '\n' | md5sum; seq 1 5000 | python3 -c 'import sys; print(sum(int(x) ** 2 for x in sys.stdin))'
python3 -c 'for i in range(3000): print(i % 17, i * 7919 % 1009)' | sort -k1,1n -k2,2nr | awk '{ if ($1 != last) { print $1, $2; last = $1 } }' | paste -sd' ' | sed 's/ \([0-9]*\) /:\1 /'
mkfifo one two; (seq 1 1000 > one &); (awk '{ print $1 * 2 }' one > two &); perl -ne '$s += $_; END { print "$s\n" }' two
perl -e '$| = 1; open(my $in, "-|", "seq 5") or die; while (<$in>) { chomp; print "p$_ " } close $in; print "status $?\n"; open(my $out, "|-", "cat") or die; print $out "through cat\n"; close $out; print "$?\n"; system("exit 3"); print $? >> 8, "\n"; print `echo back`; my $p = fork; if (!$p) { exit 6 } waitpid $p, 0; print $? >> 8, "\n"; $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 10; }; print $@'
python3 - <<'END'
import os, subprocess, select, tempfile, mmap, fcntl, signal, threading
p = subprocess.Popen(["sort", "-r"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(p.communicate(b"".join(b"%d\n" % i for i in range(5)))[0], p.returncode)
a = subprocess.Popen(["seq", "100000"], stdout=subprocess.PIPE); b = subprocess.Popen(["head", "-2"], stdin=a.stdout, stdout=subprocess.PIPE); a.stdout.close()
print(b.communicate()[0], a.wait())
try: subprocess.run(["nothere"])
except FileNotFoundError as e: print(e.errno, e.filename)
try: subprocess.run(["true"], cwd="/nothere")
except FileNotFoundError as e: print(e.errno, e.filename)
print(subprocess.run("echo $0 $#; exit 2", shell=True, capture_output=True), subprocess.run(["sleep", "9"], timeout=None, preexec_fn=lambda: signal.alarm(1)).returncode)
with tempfile.TemporaryFile() as f:
    f.write(b"x" * 10000); f.flush(); m = mmap.mmap(f.fileno(), 0); m[5:8] = b"abc"; f.seek(4); print(f.read(5), m.find(b"c"), fcntl.fcntl(f, fcntl.F_GETFD)); m.close()
r, w = os.pipe(); t = threading.Timer(0.05, os.write, (w, b"later")); t.start(); print(select.select([r], [], [], 5)[0] == [r], os.read(r, 9))
END
tar cf - -C /etc passwd group 2>/dev/null | tar tf - | sort; seq 100 | split -l 30 - part. && wc -l part.* | awk '{ print $1, $2 }'; cat part.* | cmp - <(seq 100) && echo same; join <(seq 1 5 | sed 's/$/ a/') <(seq 3 7 | sed 's/$/ b/'); comm -12 <(seq 1 5) <(seq 4 8); seq 10 | tee >(wc -l > count) | tac | head -1; until [ -s count ]; do sleep 0.01; done; cat count
seq 1 8 | xargs -P 4 -n 2 sh -c 'echo $(($1 + $2))' sh | sort -n; find . -name 'part.*' -print0 | sort -z | xargs -0 -n1 basename; yes | head -100000 | uniq -c; dd if=/dev/zero bs=1k count=100 2>/dev/null | od -An -tx1 | head -2; printf 'b\0a\0' | sort -z | tr '\0' ,; echo; seq 3 | while read -r x; do ssh=$(cat <<< "$x"); echo "$ssh"; done | nl -w2 -s:
