"""What the cases of the command line share: starting usbx, saying what is expected, a person at a terminal."""
import contextlib
import fcntl
import hashlib
import inspect
import json
import os
import pathlib
import pty
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
USBX = os.path.abspath(os.environ.get("USBX", ROOT / "build" / "usbx"))
FORBIDDEN = os.path.join(os.path.dirname(USBX), "usbx-forbidden")
LIMIT_S = 60
SANDBOXES = int(os.environ.get("SANDBOXES", "100"))


class Skip(Exception):
    pass


def usbx(*arguments, **more):
    more = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": LIMIT_S, **more}
    return subprocess.run([USBX, *map(str, arguments)], **more)


def run(*command, options=(), **more):
    return usbx("run", *options, "--", *command, **more)


def expect(value, wanted, what=""):
    if value != wanted:
        raise AssertionError(f"{what}: {value!r} and not {wanted!r}")


def expect_output(result, wanted):
    if result.returncode or result.stdout != wanted:
        raise AssertionError(f"status {result.returncode}, {result.stdout!r} and not {wanted!r}; stderr {result.stderr[:500]!r}")


def expect_complaint(result, status, *words):
    """One line, from usbx, that names the thing."""
    lines = result.stderr.splitlines()
    if result.returncode != status or len(lines) != 1 or not lines[0].startswith("usbx: ") or \
            not all(word in lines[0] for word in words):
        raise AssertionError(f"status {result.returncode} and not {status}, with {words}: {result.stderr[:500]!r}")


@contextlib.contextmanager
def directory():
    # Not in /tmp, where a sandbox has a directory of its own.
    with tempfile.TemporaryDirectory(prefix="cli-", dir="/var/tmp") as place:
        os.chmod(place, 0o755)
        yield pathlib.Path(place)


# Where something may be mounted: root needs no user namespace for it.
PRIVATE_MOUNTS = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-r", "-m"]


def need_root():
    if os.geteuid():
        raise Skip("needs root")


def start(*command, options=(), **more):
    process = subprocess.Popen([USBX, "run", *options, "--", *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, **more)
    return process


def state_of(pid):
    return pathlib.Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]


def on_terminal(command, keys, limit_s=LIMIT_S):
    """What a command prints on a terminal of its own, when somebody types keys after each "ready"."""
    pid, master = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    seen, end = b"", time.monotonic() + limit_s
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(master, 4096)
        except OSError:     # the last one closed the other end
            break
        seen += piece
        if keys and seen.count(b"ready") > seen.count(b"typed"):
            seen += b"typed"
            os.write(master, keys.pop(0))
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(master)
    _, status = os.waitpid(pid, 0)
    return seen.replace(b"typed", b"").decode(), os.waitstatus_to_exitcode(status)


class Terminal:
    """A person at a terminal: types, and waits for what is shown."""

    def __init__(self, *command, **environment):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(command[0], command, {"PATH": os.environ["PATH"], "TERM": "dumb", "LANG": "C", **environment})
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)

    def wait(self, pattern, limit_s=LIMIT_S):
        """Until the pattern was shown behind what earlier calls waited for; the match."""
        end = time.monotonic() + limit_s
        while not (found := re.search(pattern, self.seen)):
            assert time.monotonic() < end, f"no {pattern!r} in {self.seen!r}"
            if select.select([self.master], [], [], 0.2)[0]:
                self.seen += os.read(self.master, 4096).decode()
        self.seen = self.seen[found.end():]
        return found

    def type(self, keys):
        os.write(self.master, keys.encode())

    def end(self, limit_s=LIMIT_S):
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                if select.select([self.master], [], [], 0.05)[0]:
                    self.seen += os.read(self.master, 4096).decode()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"no end; {self.seen!r}")

    def settings(self):
        return termios.tcgetattr(self.master)


def snapshot(place):
    return sorted((str(p.relative_to(place)), p.lstat().st_mode, p.lstat().st_mtime_ns, p.read_bytes() if p.is_file() else b"")
                  for p in place.rglob("*"))


def processes():
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fields = pathlib.Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
                found[int(entry)] = (int(fields[1]), fields[19], fields[0])     # parent, start time, state
    return found


def tree_of(pid):
    """{(pid, start time)} of pid and all that descends from it."""
    all_of_them = processes()
    members, grown = {pid}, True
    while grown:
        more = {child for child, (parent, _, _) in all_of_them.items() if parent in members} - members
        members |= more
        grown = bool(more)
    return {(member, all_of_them[member][1]) for member in members if member in all_of_them}


def still_there(members):
    now = processes()
    return {pid for pid, born in members if pid in now and now[pid][1] == born and now[pid][2] not in "ZX"}


def rootfs(place):
    """A little root: busybox and the libraries it needs."""
    for name in ("bin", "lib64", "lib/x86_64-linux-gnu"):
        (place / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", place / "bin" / "busybox")
    for name in subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True).stdout.split():
        with contextlib.suppress(FileExistsError):
            os.symlink("busybox", place / "bin" / name)
    listing = subprocess.run(["ldd", "/bin/busybox"], capture_output=True, text=True).stdout
    for library in re.findall(r"(/\S+)", listing):
        (place / library[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, place / library[1:])
