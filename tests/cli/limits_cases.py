"""What a sandbox may use: --memory, --cpus, --cpu-time, --pids, --disk, --max-output, --ulimit."""
from lib import *

OOM = r"usbx: out of memory: killed process \d+ \(%s\), which had (\d+) MiB \(--memory is (\d+) MiB\)\n"


def case_memory():
    """More at once than there is: refused. Bit by bit: somebody is killed, and named; the sandbox lives on."""
    script = """
try:
    bytearray(300 << 20)
except MemoryError:
    print("no", flush=True)
hoard = []
while True:
    hoard.append(b"x" * (1 << 20))"""
    result = run("sh", "-c", 'python3 -c "$0"; echo $?; cat /sys/fs/cgroup/memory.events | grep oom_kill', script, options=["--memory", "256M"])
    expect((result.returncode, result.stdout), (0, "no\n137\noom_kill 1\n"), result.stderr)
    had = re.search("^" + OOM % "python3", result.stderr, re.M)
    assert had and had[2] == "256" and int(had[1]) > 200, result.stderr
    expect(run("/usr/bin/python3", "-c", script, options=["--memory", "256M"]).returncode, 137)     # the command itself
    script = "for d in /tmp /dev/shm .; do dd if=/dev/zero of=$d/f bs=1M count=64 2>&1 | grep -o 'No space'; rm $d/f; done; cat /proc/meminfo | grep MemTotal"
    with directory() as place:
        expect_output(run("sh", "-c", script, options=["--memory", "64M"], cwd=place), "No space\n" * 3 + "MemTotal:          65536 kB\n")
    expect(run("true", options=["--memory", "1T"]).returncode, 0)


def case_memory_of_many():
    """The sum counts. What is shared after a fork counts once; who is protected is not the one."""
    shared = """
import os, time
hoard = b"x" * (100 << 20)
children = [os.fork() or (time.sleep(0.5), os._exit(0)) for _ in range(6)]
print(sum(os.waitpid(pid, 0)[1] for pid in children))
time.sleep(0.5)
available = next(line.split()[1] for line in open("/proc/meminfo") if line.startswith("MemAvailable"))
print(100 << 10 < int(available) < 160 << 10)"""
    expect_output(run("/usr/bin/python3", "-c", shared, options=["--memory", "256M"]), "0\nTrue\n")
    protected = """
import os, time
def take(megabytes, name, score):
    pid = os.fork()
    if not pid:
        open("/proc/self/comm", "w").write(name)
        open("/proc/self/oom_score_adj", "w").write(score)
        hoard = [b"x" * (1 << 20) for _ in range(megabytes)]
        time.sleep(60)
    return pid
large = take(150, "large", "-1000")
time.sleep(1)
small = take(150, "small", "0")
print(os.waitpid(small, 0)[1], os.waitpid(large, os.WNOHANG))
os.kill(large, 9)"""
    result = run("/usr/bin/python3", "-c", protected, options=["--memory", "256M", "--user", "0"])
    expect((result.returncode, result.stdout), (0, "9 (0, 0)\n"), result.stderr)
    assert re.fullmatch(OOM % "small", result.stderr), result.stderr


def case_memory_of_files():
    """What a removed file had is there again for a program."""
    script = "head -c 100M /dev/zero >/tmp/f; rm /tmp/f; python3 -c 'hoard = b\"x\" * (200 << 20); print(\"enough\")'"
    expect_output(run("sh", "-c", script, options=["--memory", "256M"]), "enough\n")


def case_memory_that_is_on_its_way_out():
    """Of a large process that has just ended, however: it is waited for, nobody dies in its place."""
    script = """
import os
def large(end):
    pid = os.fork()
    if not pid:
        hoard = b"x" * (170 << 20)
        end()
    return os.waitpid(pid, 0)[1]
print([large(end) for end in [lambda: os._exit(0), lambda: os.kill(os.getpid(), 9), lambda: os.execv("/bin/true", ["true"])] * 4])"""
    result = run("/usr/bin/python3", "-c", script, options=["--memory", "256M"])
    expect((result.returncode, result.stdout, result.stderr), (0, f"{[0, 9, 0] * 4}\n", ""))


def case_memory_after_a_core_dump():
    """The dump takes what the process has once more. Only the process itself may die for it, not the shell."""
    script = "ulimit -c unlimited; cd /tmp; python3 -c 'import os; hoard = os.urandom(1 << 20) * 150; os.abort()'; ls | grep -c '^core'; echo lives"
    result = run("sh", "-c", script, options=["--memory", "256M"])
    expect((result.returncode, result.stdout), (0, "1\nlives\n"), result.stderr)
    assert "(sh)" not in result.stderr and "had 0 MiB" not in result.stderr, result.stderr


def case_memory_of_mapped_files():
    """They fill up what there is and not more: who writes is refused, nobody is killed."""
    script = """
import errno, mmap, os
files = [os.open(place + "/mapped", os.O_RDWR | os.O_CREAT) for place in ("/tmp", "/dev/shm", ".")]
held = [os.write(file, bytes(4096)) and mmap.mmap(file, 4096) for file in files]
taken = 0
for file in files:
    try:
        while True:
            taken += os.write(file, b"x" * (1 << 20))
    except OSError as error:
        print(errno.errorcode[error.errno])
print(150 < taken >> 20 < 256, flush=True)
os.execv("/bin/echo", ["echo", "lives"])"""
    with directory() as place:
        result = run("sh", "-c", 'python3 -c "$0"; echo $?', script, options=["--memory", "256M"], cwd=place)
        expect((result.stdout, result.stderr), ("ENOSPC\n" * 3 + "True\nlives\n0\n", ""))


def case_memory_as_told():
    """What a program is told is what it has."""
    script = """
import mmap, os, time
print(os.sysconf("SC_PHYS_PAGES") * 4096 >> 20)
def rss(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) >> 10
hoard, shared = b"x" * (64 << 20), mmap.mmap(-1, 32 << 20)
shared.write(b"y" * (32 << 20))
statm = [int(pages) >> 8 for pages in open("/proc/self/statm").read().split()]
print(64 <= rss("RssAnon") < 80, 32 <= rss("RssShmem") < 40, 96 <= statm[1] < 128, 32 <= statm[2] < 60)
time.sleep(0.2)     # what is told is a tenth of a second old at most
current = int(open("/sys/fs/cgroup/memory.current").read()) >> 20
print(96 <= current < 128, open("/sys/fs/cgroup/memory.max").read().strip())"""
    expect_output(run("/usr/bin/python3", "-c", script, options=["--memory", "256M"]), "256\nTrue True True True\nTrue 268435456\n")


def case_cpus():
    script = "nproc; python3 -c 'import os; print(len(os.sched_getaffinity(0)))'; grep -c ^processor /proc/cpuinfo; cat /sys/devices/system/cpu/online /sys/fs/cgroup/cpu.max"
    expect_output(run("sh", "-c", script, options=["--cpus", "0.2"]), "1\n1\n1\n0\n20000 100000\n")
    spin = """
import os, time
children = []
end = time.monotonic() + 2
for _ in range(3):
    pid = os.fork()
    if not pid:
        while time.monotonic() < end:
            pass
        os._exit(0)
    children.append(pid)
used = sum(sum(os.wait4(pid, 0)[2][:2]) for pid in children)
print(used)"""
    used = run("/usr/bin/python3", "-c", spin, options=["--cpus", "0.2"])
    assert 0.1 < float(used.stdout) < 0.7, used     # 2 s of a fifth, and what it may save up


def case_cpu_time():
    begin = time.monotonic()
    result = run("sh", "-c", "while :; do :; done", options=["--cpu-time", "0.5"])
    expect((result.returncode, result.stderr), (124, "usbx: stopped after --cpu-time 0.5 s\n"))
    assert time.monotonic() - begin > 0.4
    expect(run("sleep", "1", options=["--cpu-time", "0.8"]).returncode, 0)      # no time to speak of


def case_pids():
    script = """
import errno, os, threading, time
children = []
try:
    while True:
        pid = os.fork()
        if not pid:
            time.sleep(60)
        children.append(pid)
except OSError as error:
    print(len(children), errno.errorcode[error.errno])
try:
    threading.Thread(target=time.sleep, args=(0,)).start()
except RuntimeError as error:
    print(error)
os.kill(children[0], 9)
os.waitpid(children[0], 0)
threading.Thread(target=time.sleep, args=(0.2,)).start()
print(open("/sys/fs/cgroup/pids.max").read().strip(), open("/sys/fs/cgroup/pids.current").read().strip())
for pid in children[1:]:
    os.kill(pid, 9)"""
    expect_output(run("/usr/bin/python3", "-c", script, options=["--pids", "20"]), "19 EAGAIN\ncan't start new thread\n20 20\n")
    expect(run("true", options=["--pids", "1"]).returncode, 0)


def case_disk():
    """One quota for all file systems in memory together; giving back makes room."""
    script = """
df --output=size /tmp /dev/shm . | tail -n +2 | tr -s ' '
head -c 6M /dev/zero > /tmp/a; head -c 6M /dev/zero > b || echo full
rm /tmp/a; head -c 6M /dev/zero > b && echo fits
df --output=avail . | tail -n +2 | grep -c '^ *[34]...$'"""
    with directory() as place:
        result = run("sh", "-c", script, options=["--disk", "10M"], cwd=place)
        expect((result.returncode, result.stdout), (0, " 10240\n 10240\n 10240\nfull\nfits\n1\n"), result.stderr)
        assert "No space left on device" in result.stderr
        expect(os.listdir(place), [])


def case_max_output():
    """So many bytes and not one more come out, by whatever way."""
    limited = lambda *command, options=(), **more: run(*command, options=["--max-output", "1000", *options], **more)
    said = "usbx: stopped after --max-output 1000 bytes of output\n"
    expect_output(limited("head", "-c", "1000", "/dev/zero"), "\0" * 1000)
    result = limited("head", "-c", "1001", "/dev/zero")
    expect((result.returncode, result.stdout, result.stderr), (124, "\0" * 1000, said))
    result = limited("sh", "-c", "while :; do echo out; echo err >&2; done")
    expect((result.returncode, len(result.stdout) + len(result.stderr)), (124, 1000 + len(said)))
    result = limited("yes", options=["-t"], text=False)
    expect((result.returncode, len(result.stdout)), (124, 1000))
    with directory() as place, (place / "out").open("wb") as out:
        expect(limited("yes", capture_output=False, stdout=out, stderr=subprocess.DEVNULL).returncode, 124)
        expect((place / "out").stat().st_size, 1000)
    for way in ("os.ftruncate(1, 1 << 40)", "os.truncate('/dev/stdout', 1 << 40)", "os.pwrite(1, b'x', 1 << 40)",
                "os.lseek(1, 1 << 40, 0); os.write(1, b'x')", "os.posix_fallocate(1, 0, 1 << 30)"):
        with directory() as place, (place / "out").open("wb") as out:
            os.write(out.fileno(), b"before")
            script = f"import os; os.write(1, b'y' * 990); {way}; print('got away with it')"
            result = limited("python3", "-c", script, capture_output=False, stdout=out, stderr=subprocess.DEVNULL)
            size = (place / "out").stat().st_size
            assert result.returncode == 124 and size <= 1006, f"{way}: status {result.returncode}, {size} bytes"


def case_ulimit():
    script = "ulimit -Sn; ulimit -Hn; ulimit -Sf; ulimit -Hf; ulimit -Su; python3 -c 'import resource as r; print(r.getrlimit(r.RLIMIT_CPU))'"
    options = ["--ulimit", "nofile=64:128", "--ulimit", "fsize=1024:unlimited", "--ulimit", "cpu=5", "--ulimit=nproc=99"]
    expect_output(run("bash", "-c", script, options=options), "64\n128\n1\nunlimited\n99\n(5, 5)\n")
    result = run("sh", "-c", "head -c 4096 /dev/zero > /tmp/f; ls -l /tmp/f | cut -d' ' -f5", options=["--ulimit", "fsize=1024"])
    expect(result.stdout, "1024\n")
