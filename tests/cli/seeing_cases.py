"""Seeing what happened: --strace, --trace, --stats, --debug, --diff, --save, usbx diff."""
from lib import *


def case_debug():
    for word in ("log", "stats", "no-patch", "no-spin", "epoll", "uring", "log,no-patch,epoll"):
        result = run("sh", "-c", "echo a | cat", options=[f"--debug={word}"])
        expect((result.returncode, result.stdout), (0, "a\n"), word)
        assert all(line.startswith(("usbx: debug: ", "stats: {")) for line in result.stderr.splitlines()), result.stderr
    stats = run("true", options=["--debug=stats"]).stderr
    assert json.loads(stats.partition(": ")[2])["calls_trapped"] > 0, stats


def stopped_while_asleep(place, option):
    """A time limit ends a sandbox whose program had the time to fall asleep, on a busy machine too."""
    for seconds in "0.5", "3", "15":
        expect(run("sleep", "30", options=[option, "--timeout", seconds], cwd=place).returncode, 124)
        if "nanosleep" in (place / "log").read_text():
            break


def case_strace():
    with directory() as place:
        script = 'echo "a b" | cat >f; mkdir d; rm no 2>&-; (exit 3); kill -USR1 $$'
        result = run("bash", "-c", f"trap 'echo caught' USR1; {script}", options=["--strace=log"], cwd=place)
        expect((result.returncode, result.stdout, result.stderr), (0, "caught\n", ""))
        log = (place / "log").read_text()
        for line in (r'openat\(AT_FDCWD, "f", O_WRONLY\|O_CREAT\|O_TRUNC, 0666\) = 3', r'write\(1, "a b\\n", 4\) = 4',
                     r'execve\("/usr/bin/mkdir", \["mkdir", "d"\], \[.*\]\) = 0', r'mkdir\("d", 0777\) = 0',
                     r'unlinkat\(AT_FDCWD, "no", 0\) = -1 ENOENT \(No such file or directory\)', r'exit_group\(3\) = \?', r"\+\+\+ exited with 3 \+\+\+",
                     r"--- SIGUSR1 \{code=SI_USER, pid=2, uid=\d+\} ---", r"--- SIGCHLD \{code=CLD_EXITED, pid=\d+, status=3\} ---",
                     r"wait4\(-1, \[exited 3\], (0|WNOHANG), NULL\) = \d+", r"pipe2?\(\[3, 4\](, 0)?\) = 0"):
            assert re.search(rf"^\[pid \d+\] {line}$", log, re.M), (line, log[-3000:])
        assert all(re.fullmatch(r"\[pid \d+\] .*", line) for line in log.splitlines())
        # On standard error, among the program's own words; to nobody; to a full device.
        assert "[pid 2] exit_group(0) = ?" in run("true", options=["--strace"]).stderr.splitlines()
        expect(subprocess.run(["sh", "-c", '"$0" run --strace -- true 2>&-', USBX], timeout=LIMIT_S).returncode, 0)
        stopped_while_asleep(place, "--strace=log")
        assert re.search("nanosleep.* <unfinished ...>$", (place / "log").read_text(), re.M)


def case_strace_that_cannot_be_written():
    """A full disk, in the middle of a line or at its beginning, is said once, and the sandbox goes on."""
    ends = "No space left on device: the trace ends here, the sandbox goes on\n"
    for option in ["--strace=/dev/full"], ["--trace", "/dev/full"]:
        result = run("echo", "a", options=option)
        expect((result.returncode, result.stdout, result.stderr), (0, "a\n", f"usbx: {option[0].partition('=')[0]} /dev/full: {ends}"))
    with directory() as place:
        script = 'mount -t tmpfs -o size=8k none "$1" && "$0" run --strace="$1/log" -- ls /; echo $?; cat "$1/log"'
        result = subprocess.run([*PRIVATE_MOUNTS, "sh", "-c", script, USBX, place], capture_output=True, text=True, timeout=LIMIT_S)
        expect(result.stderr, f"usbx: --strace {place}/log: {ends}")
        shown, _, log = result.stdout.partition("\n0\n")
        assert "usr" in shown and len(log) == 8192 and all(line.startswith("[pid 2] ") for line in log.splitlines()), result.stdout


def case_slow_reader_of_standard_error():
    """Somebody made the pipe non-blocking, and nobody reads for a while: every line of --diff gets out."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    with directory() as place, os.fdopen(reading) as pipe:
        process = subprocess.Popen([USBX, "run", "--diff", "--", "sh", "-c", "for i in $(seq 300); do : >$i; done"], stdin=subprocess.DEVNULL, stderr=writing, cwd=place)
        os.close(writing)
        time.sleep(2)
        expect(sorted(pipe.read().splitlines()), sorted(f"A {place}/{i} (0 bytes)" for i in range(1, 301)))
        expect(process.wait(LIMIT_S), 0)


def records(path):
    """The lines of a trace: each is JSON and ASCII."""
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def case_trace():
    with directory() as place:
        name = b"x\xff\x1b[31m \"\n\xc2\x9b\xe2\x80\xae\xf0\x9f\x98\x80"
        script = "import os, signal, threading; n = os.fsencode(os.sys.argv[1]); os.close(os.open(n, os.O_CREAT | os.O_WRONLY)); os.path.exists(b'/' + b'\\xfe' * 4000); " \
            "signal.signal(10, lambda *a: 0); os.kill(os.getpid(), 10); threading.Thread(target=lambda: os.write(2, b'\\xf0\\x28')).start(); os.fork() or os._exit(3); os.wait()"
        result = run("/usr/bin/python3", "-c", script, os.fsdecode(name), options=["--trace", "log"], cwd=place, text=False)
        expect((result.returncode, result.stdout, result.stderr), (0, b"", b"\xf0\x28"))
        log = records(place / "log")
        for record in log:
            assert record["time"] > 1e9 and record["pid"] > 1 and record["tid"] > 1 and "comm" in record, record
            assert ("call" in record) != ("event" in record), record
            assert "event" in record or record["result"] is None or record["duration"] >= 0, record
        expect(log[0]["argv"][:2], ["/usr/bin/python3", "-c"])
        opened = [r for r in log if r.get("call") == "openat" and "path.hex" in r["args"]][0]
        expect(bytes.fromhex(opened["args"]["path.hex"]), name)
        expect(opened["args"]["path"], name.decode(errors="replace"))
        expect((opened["args"]["flags"], opened["args"]["mode"], opened["args"]["dirfd"]), ("O_WRONLY|O_CREAT|O_CLOEXEC", "0777", -100))
        long = [r for r in log if r.get("errno") == "ENAMETOOLONG"][0]
        expect((long["result"], bytes.fromhex(long["args"]["path.hex"])), (-1, b"/" + b"\xfe" * 4000))
        wrote = [r for r in log if r.get("call") == "write" and r["args"]["fd"] == 2][0]
        expect((wrote["args"]["buffer.hex"], wrote["args"]["size"], wrote["result"], wrote["pid"]), ("f028", 2, 2, 2))
        assert wrote["tid"] != 2, wrote
        assert [r for r in log if r.get("event") == "signal" and r["signal"] == "SIGUSR1" and "SI_USER" in r["info"]]
        expect(sorted(r["status"] for r in log if r.get("event") == "exit"), [0, 0, 3])
        # What has not returned; more arguments than are shown; an end by a signal; the file outside of the sandbox.
        stopped_while_asleep(place, "--trace=log")
        assert records(place / "log")[-1]["unfinished"]
        assert run("/bin/true", *["\xff\x01"] * 5000, options=["--trace", "log"], cwd=place).returncode == 0 and records(place / "log")[0]["argv_cut"]
        expect(run("sh", "-c", "kill -9 $$", options=["--trace", "log"], cwd=place).returncode, 137)
        expect([r["signal"] for r in records(place / "log") if r.get("event") == "exit"], ["SIGKILL"])


def case_trace_with_a_slow_reader():
    """What is still to be written when the sandbox is stopped is waited for: no record is lost or cut."""
    with directory() as place:
        os.mkfifo(place / "log")
        script = "import os, time\nfor _ in range(2000): os.path.exists('/no/such/file')\ntime.sleep(60)"
        # Opened first and without waiting for a writer: one that fails at once is seen by the status.
        with open(os.open(place / "log", os.O_RDONLY | os.O_NONBLOCK), "rb") as log:
            process = start("/usr/bin/python3", "-c", script, options=["--trace", "log", "--timeout", "1"], cwd=place)
            time.sleep(2.5)
            os.set_blocking(log.fileno(), True)
            text = log.read()
        process.communicate(timeout=LIMIT_S)
        expect(process.returncode, 124)
        assert text.endswith(b"}\n") and [json.loads(line) for line in text.splitlines()], text[-200:]


def case_trace_that_cannot_be_written():
    result = run("ls", "/", options=["--trace", "/dev/full"])
    expect((result.returncode, result.stderr), (0, "usbx: --trace /dev/full: No space left on device: the trace ends here, the sandbox goes on\n"))
    assert "usr" in result.stdout
    reading, writing = os.pipe()
    os.close(reading)
    result = run("echo", "a", options=["--trace", f"/proc/self/fd/{writing}"], pass_fds=[writing])
    os.close(writing)
    assert result.returncode in (0, 125), result         # the reopening itself may be refused
    expect_complaint(run("true", options=["--trace", "/no/such/file"]), 125, "--trace", "/no/such/file")
    expect_complaint(run("true", options=["--trace", ""]), 125, "--trace")


CHANGES = r"""
echo more >>a; cat same >same2; mv same2 same; echo B >sub/deep/b; mv mv mv2; ln -sf b l; rm gone; rm -r gd; chmod 755 mode; touch times; : >>untouched
mkdir new; echo n >new/n; ln new/n new/n2; mkfifo new/f; touch "$(printf 'new/e\033[31m\n\302\233')" "new/$(printf 'x\377y')" "new/ünï (5 bytes)"; ln -s 'to
 -> x' new/sl
truncate -s 1T new/sparse; echo x | dd of=new/sparse bs=1 seek=1000000 conv=notrunc 2>/dev/null; touch new/su; chmod 4755 new/su; rm -r dir; echo >dir; rm file; mkdir file
rm -r sub/again; mkdir sub/again; echo 2 >sub/again/two; touch sub/again/three; : >kept; rm kept; touch /tmp/elsewhere
"""
CHANGED = r"""M a (6 -> 11 bytes)
M dir (was a directory)
M file/ (was a file)
D gd/
D gone (5 bytes)
M l -> b
M mode (mode 0644 -> 0755)
D mv/
A mv2/
A mv2/x/
A mv2/x/c (2 bytes)
A new/
A "new/e\33[31m\n\302\233" (0 bytes)
A new/f (fifo)
A new/n (2 bytes)
A new/n2 (2 bytes)
A new/sl -> "to\n -> x"
A new/sparse (1099511627776 bytes)
A new/su (0 bytes, mode 4755)
A "new/x\377y" (0 bytes)
A "new/\303\274n\303\257 (5 bytes)" (0 bytes)
D sub/again/one (2 bytes)
A sub/again/three (0 bytes)
M sub/again/two (1 -> 2 bytes)
M sub/deep/b (2 bytes)
"""


def make_changes(place, *options):
    """A directory of the host's, and what CHANGES makes of it."""
    work = place / "work"
    if not work.exists():
        for name in ("sub/deep", "sub/again", "mv/x", "gd", "dir/inner"):
            (work / name).mkdir(parents=True)
        for name, text in {"a": "hello\n", "same": "same\n", "sub/deep/b": "b\n", "mv/x/c": "c\n", "gone": "gone\n", "gd/1": "", "mode": "m\n", "times": "",
                           "untouched": "u", "file": "", "sub/again/one": "1\n", "sub/again/two": "2", "dir/inner/x": ""}.items():
            (work / name).write_text(text)
        (work / "l").symlink_to("a")
    result = run("bash", "-c", "umask 022; " + CHANGES, options=options, cwd=work, text=False)
    expect(result.returncode, 0, result.stderr)
    return work, result.stderr.decode("ascii" if b"json" not in str(options).encode() else "utf-8")


def relative(text, work):
    return text.replace(f' "{work}/', ' "').replace(f" {work}/", " ")


def case_diff():
    with directory() as place:
        work, text = make_changes(place, "--diff")
        expect(relative(text, work), CHANGED)
        before = sorted(work.rglob("*"))
        lines = [json.loads(line) for line in make_changes(place, "--diff=json")[1].splitlines()]
        expect(sorted(work.rglob("*")), before)                     # nothing on the host has changed
        expect([(line["change"], line["path"].removeprefix(f"{work}/")) for line in lines][:4], [("M", "a"), ("M", "dir"), ("M", "file"), ("D", "gd")])
        expect(len(lines), CHANGED.count("\n"))
        found = {line["path"].removeprefix(f"{work}/"): line for line in lines}
        a, mode = found["a"], found["mode"]
        expect((a["what"], a["size"], a["old"]["size"], a["type"]), (["content"], 11, 6, "file"))
        expect((mode["what"], mode["mode"], mode["old"]["mode"]), (["mode"], "0755", "0644"))
        expect((found["new/sl"]["type"], found["new/sl"]["target"]), ("symlink", "to\n -> x"))
        expect(bytes.fromhex(found["new/x\ufffdy"]["path.hex"]), f"{work}/new/x".encode() + b"\xffy")
        expect(run("true", options=["--diff"], cwd=work).stderr, "")
        expect(run("sh", "-c", "ls -R; cat a; echo x >new; rm new", options=["--diff"], cwd=work).stderr, "")
        expect_complaint(run("true", options=["--diff=xml"]), 125, "--diff=xml")


def case_diff_of_other_places():
    """A root of its own, a place for changes elsewhere, one file; the end by a time limit."""
    with directory() as place:
        rootfs(place / "tree")
        (place / "d" / "s").mkdir(parents=True)
        (place / "d" / "s" / "f").write_text("f")
        result = run("/bin/busybox", "sh", "-c", "echo x >/bin/new; echo y >/here/s/f; rm /one; mkdir /deep; cd /deep; for i in 1 2 3; do mkdir d; cd d; done; echo z >/proc/nothing",
                     options=["--rootfs", place / "tree", "--mount", f"{place}/d:/here:cow", "--mount", f"{place}/d/s/f:/one:cow", "--diff"])
        lines = [line for line in result.stderr.splitlines() if line[1] == " "]
        expect(lines, ["A /bin/new (2 bytes)", "A /deep/", "A /deep/d/", "A /deep/d/d/", "A /deep/d/d/d/", "M /here/s/f (1 -> 2 bytes)"])
        # Mounting it elsewhere, or not at all, hides nothing.
        if not os.geteuid():
            result = run("sh", "-c", "cd /; mkdir -p /tmp/m; mount --bind /here /tmp/m; echo bound >/tmp/m/bound; umount -l /here; ls /here; rm /tmp/m/s/f", options=["--mount", f"{place}/d:/here:cow", "--diff"])
            expect(result.stderr, "A /here/bound (6 bytes)\nD /here/s/f (1 bytes)\n")
        script = "echo late >late; while :; do :; done"
        result = run("sh", "-c", script, options=["--timeout", "3", "--diff", "--save", place / "late.tar"], cwd=place / "d")
        expect((result.returncode, result.stderr.splitlines()[0]), (124, f"A {place}/d/late (5 bytes)"))
        expect(usbx("diff", place / "late.tar").stdout, f"A {place}/d/late (5 bytes)\n")


def case_reports_when_a_limit_ends_it():
    """Time, CPU time, output or memory is used up, whoever is still at work: what has changed is said and kept."""
    fill = "[hoard.append(b'x' * (1 << 20)) for hoard in [[]] for _ in range(1 << 20)]"
    cases = [("sleep 60", ["--timeout", "3"], 124, "stopped after --timeout 3 s"),
             ("(while :; do :; done) & while :; do :; done", ["--cpu-time", "1"], 124, "stopped after --cpu-time 1 s"),
             ("yes & yes", ["--max-output", "2000"], 124, "stopped after --max-output 2000 bytes of output"),
             ("trap '' TERM INT; yes", ["--max-output", "2000", "-t"], 124, "stopped after --max-output 2000 bytes of output"),
             (f'exec python3 -c "{fill}"', ["--memory", "64M"], 137, "out of memory: killed process 2 (python3)"),
             (f'echo -1000 >/proc/self/oom_score_adj; exec python3 -c "{fill}"', ["--memory", "64M", "--user", "0"], 124, "and nobody who may be killed")]
    for script, options, status, said in cases:
        with directory() as place:
            (place / "d").mkdir()
            result = run("sh", "-c", "echo new >new; " + script, options=["--diff", "--save", place / "kept.tar", *options], cwd=place / "d")
            changes = [line for line in result.stderr.splitlines() if line.startswith("A ")]
            expect((result.returncode, changes), (status, [f"A {place}/d/new (4 bytes)"]), (options, result.stderr))
            assert said in result.stderr, (said, result.stderr)
            expect(usbx("diff", place / "kept.tar").stdout, changes[0] + "\n", options)
            if status == 124 and "-t" not in options:
                # What cannot be kept makes the status, not the limit.
                result = run("sh", "-c", "echo new >new; " + script, options=["--save", "/dev/full", *options], cwd=place / "d")
                assert result.returncode == 125 and "the archive is not complete; make room" in result.stderr and said in result.stderr, result


def case_save():
    with directory() as place:
        archive = place / "changes.tar"
        work, text = make_changes(place, "--save", str(archive))
        expect(text, "")
        shown = usbx("diff", archive, text=False)
        expect(relative(shown.stdout.decode("ascii"), work), CHANGED)
        as_json = usbx("diff", "--json", archive).stdout
        expect([json.loads(line)["change"] for line in as_json.splitlines()], [line[0] for line in CHANGED.splitlines()])
        expect(as_json, make_changes(place, "--diff=json")[1])
        expect(subprocess.run([USBX, "diff", "-"], stdin=open(archive), capture_output=True).stdout, shown.stdout)
        (place / "out").mkdir()
        subprocess.run(["tar", "xf", archive, "-C", place / "out"], check=True, capture_output=True)
        out = place / "out" / str(work)[1:]
        expect(((out / "a").read_text(), (out / "sub/deep/b").read_text(), (out / "new/n2").read_text(), os.readlink(out / "l")), ("hello\nmore\n", "B\n", "n\n", "b"))
        expect((out / "new/n").stat().st_ino, (out / "new/n2").stat().st_ino)
        sparse = (out / "new/sparse").stat()
        expect((sparse.st_size, os.pread(os.open(out / "new/sparse", os.O_RDONLY), 4, 999999)), (1 << 40, b"\0x\n\0"))
        assert sparse.st_blocks < 1000 and archive.stat().st_size < 1 << 20
        assert all((out / name).stat().st_size == 0 for name in (".wh.gone", ".wh.gd", ".wh.mv", "sub/again/.wh.one"))
        expect(sorted(os.listdir(os.fsencode(out / "new")))[-2:], [b"x\xffy", "ünï (5 bytes)".encode()])
        expect_complaint(run("touch", "x", options=["--save", "/dev/full"], cwd=work), 125, "--save", "No space")
        expect_complaint(run("true", options=["--save", "/no/such/file"]), 125, "--save", "/no/such/file")
        expect(run("sh", "-c", "exit 3", options=["--save", archive], cwd=work).returncode, 3)
        expect((usbx("diff", archive).stdout, usbx("diff", archive).returncode), ("", 0))


def case_save_from_hostile_guests():
    """Names that mean something in an archive; links out of it; more than a name may have; what is no archive."""
    with directory() as place:
        work, archive = place / "work", place / "changes.tar"
        work.mkdir()
        script = r"""
import os, socket
open(".wh.passwd", "w"); open(".wh..wh..opq", "w"); os.mkdir(".wh.d"); open(".wh.d/x", "w"); socket.socket(socket.AF_UNIX).bind("sock")
os.symlink("/etc", "out"); os.symlink("../" * 50 + "etc", "up"); open("PaxHeaders", "w"); open("a=b\n20 path=x", "w")
d = os.open(".", 0)
for i in range(40):
    os.mkdir("d" * 200, dir_fd=d); d = os.open("d" * 200, 0, dir_fd=d)
os.close(os.open("last", os.O_CREAT | os.O_WRONLY, dir_fd=d))
os.mkfifo("c"); open("big", "w").truncate((1 << 63) - 1); open("uid", "w")
for i in range(200): os.link("uid", "uid%d" % i)
os.setxattr("uid", "user.a\nb\x1b=", b"\0\n17 path=/etc/y\n")
"""
        result = run("/usr/bin/python3", "-c", script, options=["--diff", "--save", archive], cwd=work)
        expect(result.returncode, 0, result.stderr)
        assert "5 left out" in result.stderr and not re.search(r"[\0-\x09\x0b-\x1f\x7f-\x9f]", result.stderr), result.stderr[-300:]
        names = subprocess.run(["tar", "tf", archive, "--quoting-style=c"], capture_output=True, text=True, check=True).stdout.splitlines()
        assert all(name.startswith(f'"{str(work)[1:]}/') for name in names), names
        assert not any("/.wh." in name for name in names), names
        text = usbx("diff", archive).stdout
        assert f'A "{work}/a=b\\n20 path=x" (0 bytes)\n' in text and f"A {work}/big ({(1 << 63) - 1} bytes)\n" in text
        assert ("d" * 200 + "/") * 40 + "last (0 bytes)\n" in text and f"A {work}/out -> /etc\n" in text
        whole, chance = archive.read_bytes(), random.Random(5)
        for i in range(60):
            damaged = bytearray(whole[:chance.randrange(len(whole))] if i % 2 else whole)
            for _ in range(chance.randrange(1, 4)):
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            (place / "damaged").write_bytes(damaged)
            result = usbx("diff", place / "damaged", text=False)
            assert result.returncode in (0, 125) and not re.search(rb"[\0-\x09\x0b-\x1f\x7f-\xff]", result.stdout + result.stderr), result
        for arguments, words in [(("README",), ["README"]), ((sys.executable,), [sys.executable, "--save"]), (("/",), ["/"]), ((), ["which"]), (("a", "b"), ["one"]), (("--x", "a"), ["--x"]),
                                 (("/dev/null",), ["/dev/null"])]:
            expect_complaint(usbx("diff", *arguments), 125, *words)


def case_stats():
    result = run("sh", "-c", "ls /usr >&2 | cat; exit 3", options=["--stats"])
    expect(result.returncode, 3)
    lines = [line for line in result.stderr.splitlines() if line.startswith("usbx: stats: ")]
    expect(len(lines), 4)
    assert " 3 processes, 3 threads;" in lines[1] and re.search(r" \d+ system calls: \w+ \d+, ", lines[2]), lines
    numbers = json.loads(run("sh", "-c", "ls /usr >&2 | cat", options=["--stats=json"]).stderr.partition("stats: ")[2])
    expect(sum(numbers["calls_by_name"].values()), numbers["calls"])
    expect((numbers["processes"], numbers["calls_by_name"]["exit_group"]), (3, 3))
    for name in ("wall_s", "guests_cpu_s", "kernel_cpu_s", "largest_process_kb", "calls_trapped", "calls_patched", "handoffs_slept", "host_calls"):
        assert numbers[name] > 0, (name, numbers)
    expect_complaint(run("true", options=["--stats=xml"]), 125, "--stats=xml")


CRASHING = r"""
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
volatile int turns;
char *heap;
__attribute__((noinline)) void inner(int *p) { *p = 42; }
__attribute__((noinline)) void outer(int *p) { inner(p); turns++; }
static void *sleeper(void *a) { (void)a; for (;;) pause(); return 0; }
static void *turner(void *a) { (void)a; for (;;) turns++; return 0; }
int main(int argc, char **argv)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	pthread_t thread;
	setrlimit(RLIMIT_CORE, &limit);
	heap = strcpy(malloc(100), "on the heap");
	if (argc > 2) prctl(PR_SET_NAME, argv[2]);
	if (!strcmp(argv[1], "threads")) {
		pthread_create(&thread, 0, sleeper, 0);
		pthread_create(&thread, 0, turner, 0);
		usleep(100000);
	}
	if (!strcmp(argv[1], "abort")) abort();
	if (!strcmp(argv[1], "large")) { heap = malloc(400 << 20); memset(heap, 1, 400 << 20); }
	outer(0);
}
"""


def crashing(place):
    (place / "crash.c").write_text(CRASHING)
    subprocess.run(["gcc", "-g", "-O1", "-fno-omit-frame-pointer", "-pthread", "-o", place / "crash", place / "crash.c"], check=True)


def case_core_dump_for_a_debugger():
    """What gdb and readelf say of a core dump is what they say of Linux's own."""
    if pathlib.Path("/proc/sys/kernel/core_pattern").read_text() != "core\n" or not shutil.which("gdb"):
        raise Skip("needs gdb, and core dumps that go to files")

    def ask(place):
        script = ["-ex", "thread apply all bt", "-ex", "p heap", "-ex", "x/i $pc", "-ex", "p $xmm0.uint128 >= 0", "-ex", "p $_siginfo.si_signo", "-ex", "info sharedlibrary"]
        text = subprocess.run(["gdb", "-nx", "-batch", *script, place / "crash", place / "core"], capture_output=True, text=True, timeout=LIMIT_S).stdout
        text = re.sub(r"0x[0-9a-f]+", "0x", text.replace("0x in", ""))
        text = re.sub(r"(#\d+  )0x in ", r"\1", text)         # a program counter stands there only in the middle of a line
        return sorted(line for line in text.splitlines() if not re.search(r"LWP|libthread_db|warning:|^=>|^ *0x <", line))
    with directory() as place:
        crashing(place)
        for word, status in ("fault", -11), ("abort", -6), ("threads", -11):
            said = []
            for command in (["./crash", word], [USBX, "run", "--rw", ".", "--", "./crash", word]):
                (place / "core").unlink(missing_ok=True)
                result = subprocess.run(command, cwd=place, capture_output=True, timeout=LIMIT_S)
                assert result.returncode in (status, 128 - status), result
                said.append(ask(place))
            expect(said[1], said[0], word)
            assert any("inner" in line or "abort" in line for line in said[0]) and any("on the heap" in line for line in said[0]), said[0]
        text = subprocess.run(["readelf", "-nlW", place / "core"], capture_output=True, text=True)
        expect((text.returncode, text.stderr), (0, ""))
        expect([text.stdout.count(note) for note in ("NT_PRSTATUS", "NT_PRPSINFO", "NT_SIGINFO", "NT_AUXV", "NT_FILE", "NT_FPREGSET", "NT_X86_XSTATE")], [3, 1, 1, 1, 1, 3, 3])


def case_core_pattern():
    with directory() as place:
        crashing(place)
        script = "cat /proc/sys/kernel/core_pattern; (echo '%s' >/proc/sys/kernel/core_pattern) 2>&- || echo refused; ./crash fault '%s'; ls -d core* dump* 2>&-; true"

        def where(pattern, name="crash"):
            result = run("sh", "-c", script % (pattern, name), cwd=place, text=False)
            return result.stdout.decode("ascii", "backslashreplace").splitlines()[1:]
        expect(where("dump.%e.%p.%s.%%.%x"), ["dump.crash.5.11.%."] if not os.geteuid() else ["refused", "core"])
        if os.geteuid():
            return
        # A name that would lead elsewhere; what is no file; too long.
        expect(where("dump-%e", "../../x/y"), ["dump-..!..!x!y"])
        expect(where("dump-%e", "a\x1b[m\xff"), ["dump-a\x1b[m\\xc3\\xbf"])
        for wrong in "|/bin/sh", "@/tmp/socket", "x" * 128:
            expect(where(wrong), ["refused", "core"])
        expect(where("no/such/directory/core"), [])
        expect(run("sh", "-c", "echo 1 >/proc/sys/kernel/core_uses_pid; ./crash fault; ls core*", cwd=place).stdout, "core.3\n")


def case_core_dump_that_is_killed():
    """SIGKILL ends a large dump; a full file system ends it; neither ends the sandbox."""
    with directory() as place:
        crashing(place)
        script = "(./crash large; true) & sleep 0.%d; pkill -9 crash; wait; echo alive"
        for tenths in 1, 4, 7:
            expect(run("sh", "-c", script % tenths, cwd=place).stdout, "alive\n")
        result = run("sh", "-c", "./crash large; echo $?; dd if=/dev/zero of=full bs=1M count=100 2>&-; echo alive", cwd=place, options=["--disk", "100M"])
        expect(result.stdout, "139\nalive\n")


def case_crash_report():
    with directory() as place:
        crashing(place)
        result = run("./crash", "fault", "x\x1b[31m\n", options=["--crash-report"], cwd=place)
        expect(result.returncode, 139)
        lines = result.stderr.splitlines()
        assert all(line.startswith("usbx: crash: ") and line.isprintable() for line in lines), lines
        expect(lines[0], r"usbx: crash: x\33[31m\n (pid 2, thread 2): SIGSEGV, nothing is mapped at the address")
        expect(lines[1], "usbx: crash:   address 0: nothing is mapped there")
        found = re.fullmatch(rf"usbx: crash:   instruction (0x[0-9a-f]+): {place}/crash\+(0x[0-9a-f]+) \(r-xp\)", lines[2])
        code = (place / "crash").read_bytes()[int(found[2], 16):][:16]
        expect(lines[3], "usbx: crash:   bytes there: " + code.hex(" "))
        assert f"rip {found[1]} " in result.stderr and "rdi 0\n" in result.stderr.replace("  ", "\n"), lines
        result = run("sh", "-c", "./crash abort; kill -TERM $$", options=["--crash-report"], cwd=place)
        expect((result.returncode, result.stderr.count("): SIG")), (143, 1))
        assert "SIGABRT, sent by pid 3" in result.stderr and "libc.so.6+0x" in result.stderr, result.stderr
        assert "usbx" not in run("./crash", "fault", cwd=place).stderr
        # No memory where the instruction is.
        jump = "import ctypes; ctypes.CFUNCTYPE(None)(0x123456)()"
        result = run("/usr/bin/python3", "-c", jump, options=["--crash-report"], cwd=place)
        assert "instruction 0x123456: nothing is mapped there" in result.stderr and "bytes there: cannot be read" in result.stderr, result.stderr
