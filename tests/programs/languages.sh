# perl, ruby, php and sqlite: threads, processes, signals, sockets, files.
# needs: perl ruby php sqlite3
perl -e 'use threads; use POSIX; my @t = map { my $n = $_; threads->create(sub { $n * 2 }) } 1..5; print join(",", map { $_->join } @t), "\n";
	my $pid = fork; if (!$pid) { exec "sh", "-c", "exit 7" } waitpid $pid, 0; print $? >> 8, "\n";
	local $SIG{ALRM} = sub { print "alarm\n" }; alarm 1; sleep 5; print strftime("%Y", gmtime(0)), "\n";
	open my $f, "-|", "printf a:b" or die; print <$f>, "\n"; print -e "/proc/self/stat" ? "yes\n" : "no\n"'
ruby -e 'puts (1..10).map { |i| Thread.new { sleep 0.01; i } }.sum(&:value); puts `echo hi`; pid = fork { exit 3 }; Process.wait pid; puts $?.exitstatus
	require "socket"; a, b = UNIXSocket.pair; a.write "x"; puts b.read(1); require "etc"; puts Etc.nprocessors > 0
	trap("USR1") { puts "usr1" }; Process.kill("USR1", $$); sleep 0.05; require "tempfile"; Tempfile.create { |f| f.write "q"; f.flush; puts File.size(f.path) }
	r, w = IO.pipe; spawn("echo spawned", out: w); w.close; puts r.read; require "zlib"; puts Zlib.inflate(Zlib.deflate("z" * 1000)).size; puts GC.start.inspect' 2>&1
php -r 'echo array_sum(range(1, 100)), " ", strlen(shell_exec("echo abc")), "\n"; file_put_contents("q", "x"); echo file_get_contents("q"), filesize("q"), "\n";
	$p = proc_open("cat", [["pipe", "r"], ["pipe", "w"]], $pipes); fwrite($pipes[0], "data"); fclose($pipes[0]); echo stream_get_contents($pipes[1]), proc_close($p), "\n";
	echo json_encode(["a" => 1, "b" => [1, 2]]), " ", md5("x"), " ", PHP_OS, "\n"; $s = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0); fwrite($s[0], "hi\n"); echo fgets($s[1]);'
sqlite3 t.db 'create table t(a, b); insert into t values(1, 2), (3, 4); pragma journal_mode = wal; begin; insert into t select a + 10, b from t; commit; select sum(a * b), count(*) from t; pragma integrity_check; vacuum;'
for i in 1 2 3 4; do sqlite3 -cmd ".timeout 5000" t.db "insert into t values($i, $i)" & done; wait; sqlite3 t.db 'select count(*) from t'
