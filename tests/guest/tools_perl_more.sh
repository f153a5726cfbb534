#!/bin/bash
# perl: pipes in both directions, local sockets, select, sorting, tied files, locks, signals.
perl -MIPC::Open2 -e 'my $p = open2(my $o, my $i, "tr a-z A-Z"); print $i "shout\n"; close $i; print <$o>; waitpid $p, 0; print $?, "\n"'
perl -MIPC::Open3 -e 'my $p = open3(my $i, my $o, undef, "sh", "-c", "echo out; echo err >&2; exit 3"); print sort <$o>; waitpid $p, 0; print $? >> 8, "\n"'
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Local => "sock", Listen => 5) or die; if (!fork) { my $c = IO::Socket::UNIX->new(Peer => "sock"); print $c "hello from $$\n" =~ s/\d+/child/r; print scalar <$c>; exit } my $c = $s->accept; my $l = <$c>; print "got $l"; print $c "reply\n"; close $c; wait; print $?, "\n"; unlink "sock"'
perl -e 'pipe(my $r, my $w); for my $n (1 .. 5) { if (!fork) { close $r; syswrite $w, "$n\n"; exit $n } } close $w; my @l = sort <$r>; print @l; my $sum = 0; while (wait != -1) { $sum += $? >> 8 } print "$sum\n"'
perl -MIO::Select -e 'pipe(my $r, my $w); my $s = IO::Select->new($r); print scalar($s->can_read(0.05)), "\n"; syswrite $w, "x"; print scalar($s->can_read(1)), "\n"'
perl -MFcntl=:flock -e 'open(my $f, ">", "lock"); flock($f, LOCK_EX) or die; if (!fork) { open(my $g, "<", "lock"); print flock($g, LOCK_SH | LOCK_NB) ? "no\n" : "locked: $!\n"; exit } wait; flock($f, LOCK_UN); print "freed\n"'
perl -e 'my %h = map { $_ => length } qw(pear fig banana kiwi); print join(" ", sort { $h{$a} <=> $h{$b} || $a cmp $b } keys %h), "\n"'
perl -e '$_ = "2024-01-02 and 1999-12-31"; my @d = /(\d{4})-(\d\d)-(\d\d)/g; print "@d\n"; s/(\d+)/<$1>/g; print "$_\n"; print join("|", split /\s*and\s*/), "\n"'
perl -i.bak -pe 's/a/b/' <(:) 2> /dev/null; echo aaa > edit; perl -i.bak -pe 's/a/b/' edit; cat edit edit.bak
perl -e 'local $SIG{CHLD} = sub { while (waitpid(-1, 1) > 0) { $n++ } }; for (1 .. 5) { fork or exit } select undef, undef, undef, 0.02 while $n < 5; print "reaped $n\n"'
perl -e 'print "$_\n" for sort { $a <=> $b } map { $_ * 7919 % 1000 } 1 .. 1000' | md5sum
perl -MStorable=dclone,store,retrieve -e 'store({a => [1, 2, {b => 3}]}, "st"); print retrieve("st")->{a}[2]{b}, "\n"'; perl -MCwd -e 'chdir "/usr/lib"; print getcwd, "\n"'
perl -e 'my @s = stat "/usr/bin/perl"; print $s[7] > 1000000, "\n"; print -d "/usr" ? "dir\n" : "no\n"; opendir my $d, "/usr"; print join(" ", sort grep { !/^\./ } readdir $d), "\n"'
perl -e 'exec { "sh" } "myname", "-c", q(echo "$0")'; perl -e 'die "dead\n"' 2>&1; echo $?; perl -e 'kill "KILL", $$'; echo $?
perl -Mthreads -e 'my @t = map { my $n = $_; threads->create(sub { $n ** 2 }) } 1 .. 4; print join(",", map { $_->join } @t), "\n"' 2>&1
