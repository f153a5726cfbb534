#!/bin/bash
# perl: files, processes, sockets of the local kind, regular expressions.
perl -e 'print join(",", map { $_ * $_ } 1 .. 10), "\n"'
perl -ne 'print if /root/' /etc/passwd | cut -d: -f1
perl -MPOSIX -e 'my $p = fork; if (!$p) { POSIX::_exit(5) } waitpid($p, 0); print $? >> 8, "\n"'
perl -e 'open(my $f, "-|", "echo from child; exit 2"); print <$f>; close $f; print $? >> 8, "\n"'
perl -MSocket -e 'socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC); syswrite $a, "hi\n"; print scalar <$b>'
perl -e '$SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 10; }; print $@'
perl -MFile::Temp=tempfile -e 'my ($h, $n) = tempfile(UNLINK => 1); print $h "x" x 5000; close $h; print -s $n, "\n"'
perl -MDigest::MD5=md5_hex -e 'print md5_hex("a" x 1000000), "\n"'
perl -MTime::HiRes=time,sleep -e 'my $t = time; sleep 0.05; print time - $t >= 0.05 ? "slept\n" : "no\n"'
