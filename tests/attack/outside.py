"""Live sandboxes, looked at and hit from outside: what /proc says of the walls (rule W3), and kill -9 of any one process.

The processes of a sandbox are told apart by what the host's kernel says of them: the sentry is the child of the command that was
started, everything else is the sentry's child; of those, Seccomp_filters and the memory maps tell (platform/systrap). On platform
ptrace there is a tracer, and whom it traces has no filter of the kernel's: there the blocked signals tell (an agent blocks all).
"""
import contextlib
import os
import pathlib
import re
import signal
import stat
import subprocess
import time

NAMESPACES = ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup")
GATE = range(0x700000000000, 0x700004020000)
GATE_CODE = range(0x700000000000, 0x700000008000)
WAIT_S = 30
TRACED = os.environ.get("USBX_PLATFORM") == "ptrace"
SCRIPT = "sleep 1000 & sleep 1000 & python3 -c 'import threading; threading.Thread(target=input).start(); print(\"ready\", flush=True)'; " \
         "kill %1 %2; /bin/echo over"


def need(holds, problem):
    if not holds:
        raise AssertionError(problem)


def read(pid, name):
    return pathlib.Path("/proc", str(pid), name).read_text()


def status_of(pid):
    return dict(line.split(":\t", 1) for line in read(pid, "status").splitlines() if ":\t" in line)


def of_binary(binary):
    """Processes that run this file. A stub has dropped all of it from its memory, but it is still what it was started from."""
    found = set()
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and os.readlink(f"/proc/{entry}/exe").removesuffix(" (deleted)") == str(binary):
                found.add(int(entry))
    return found


def children(pid):
    found = []
    for task in pathlib.Path("/proc", str(pid), "task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def kind_of(pid):
    """A template that is traced is "blank": Sandbox knows it by its age."""
    maps = [int(line.split("-")[0], 16) for line in read(pid, "maps").splitlines() if "[v" not in line]
    if not maps:
        return "gone"
    facts = status_of(pid)
    filters = int(facts["Seccomp_filters"])
    traced = facts["TracerPid"] != "0"
    if not any(start in GATE for start in maps):
        return "factory" if traced == TRACED else "tracer"
    if traced:
        deaf = int(facts["SigBlk"], 16) >> (signal.SIGSEGV - 1) & 1
        return "guest" if not deaf else "agent" if any(start < GATE.start for start in maps) else "blank"
    if filters == 1:
        return "template"
    if filters > 2:
        return "guest"
    return "agent" if any(start < GATE.start for start in maps) else "blank"


class Sandbox:
    """A busy one: a shell, a program with threads, and jobs; it ends by itself once `finish` lets it."""

    def __init__(self, usbx):
        self.process = subprocess.Popen([str(usbx), "run", "--", "bash", "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, start_new_session=True, cwd="/")
        need(self.process.stdout.readline() == b"ready\n", "the sandbox did not start")
        self.sentry, = children(self.process.pid)
        self.parts = {"supervisor": [self.process.pid], "sentry": [self.sentry]}
        for pid in children(self.sentry):
            with contextlib.suppress(FileNotFoundError):
                self.parts.setdefault(kind_of(pid), []).append(pid)
        if TRACED:
            blank = sorted(self.parts.pop("blank"))
            self.parts.update({"template": blank[:1], "blank": blank[1:]})
        self.everybody = {pid for pids in self.parts.values() for pid in pids}

    def finish(self):
        """(status, output, errors); afterwards nothing of it may be left."""
        try:
            out, err = self.process.communicate(b"\n", timeout=WAIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
            raise AssertionError("the sandbox hangs") from None
        end = time.monotonic() + WAIT_S
        while left := {pid for pid in self.everybody if alive(pid)}:
            need(time.monotonic() < end, f"left behind: {sorted(left)}")
            time.sleep(0.02)
        return self.process.returncode, out.decode(), err.decode()


def alive(pid):
    try:
        return read(pid, "stat").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


# ---- what /proc says

def check_rights(pid, what, tracer):
    """tracer: of stubs and factory, on platform ptrace; None: only a filter will do."""
    facts = status_of(pid)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        need(int(facts[name], 16) == 0, f"{what} has {name} {facts[name]}")
    need(facts["NoNewPrivs"] == "1", f"{what} may gain privileges")
    need(facts["Seccomp"] == "2" or tracer and facts["TracerPid"] == str(tracer), f"{what} has no filter")


def check_surroundings(pid, what, sentry):
    for name in NAMESPACES:
        own = os.readlink(f"/proc/{pid}/ns/{name}")
        need(own != os.readlink(f"/proc/self/ns/{name}"), f"{what} lives in the host's {name} namespace")
        need(own == os.readlink(f"/proc/{sentry}/ns/{name}"), f"{what} lives in a {name} namespace of its own")
    need(os.listdir(f"/proc/{pid}/root/") == [], f"{what} sees {os.listdir(f'/proc/{pid}/root/')} at its root")
    need(os.readlink(f"/proc/{pid}/cwd") == "/", f"{what} stands in {os.readlink(f'/proc/{pid}/cwd')}")
    mounts = read(pid, "mountinfo").splitlines()
    need(len(mounts) == 1 and mounts[0].split()[4] == "/" and "ro" in mounts[0].split()[5].split(","), f"{what} has mounts {mounts}")
    interfaces = [line.split(":")[0].strip() for line in read(pid, "net/dev").splitlines()[2:]]
    need(set(interfaces) <= {"lo"}, f"{what} has interfaces {interfaces}")


def check_memory(pid, what):
    """Code above the guest's range is the gate's, and nobody can write it."""
    for line in read(pid, "maps").splitlines():
        span, rights, *rest = line.split()
        start, end = (int(word, 16) for word in span.split("-"))
        if start >= GATE.start and "x" in rights and rest[-1] not in ("[vsyscall]", "[vdso]"):
            need(start in GATE_CODE and end <= GATE_CODE.stop and rights == "r-xs", f"{what} has code elsewhere: {line}")


def descriptors(pid):
    return {number: os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}


def check_descriptors(sandbox):
    """A stub's are memory files (memfds, and files without a name), the factory's wire and what the guest maps read-only; the sentry has one socket: that wire."""
    sockets = [link for link in descriptors(sandbox.sentry).values() if link.startswith("socket:")]
    need(len(sockets) == 1, f"the sentry has sockets {sockets}")
    for number, link in descriptors(sandbox.parts["guest"][0]).items():
        mode, links = (lambda s: (s.st_mode, s.st_nlink))(os.stat(f"/proc/{sandbox.parts['guest'][0]}/fd/{number}"))
        flags = int(re.search(r"flags:\t(\d+)", read(sandbox.parts["guest"][0], f"fdinfo/{number}"))[1], 8)
        nameless = re.fullmatch(r"/#\d+ \(deleted\)", link) and not links      # on the sandbox's own tmpfs
        need(link.startswith(("/memfd:", "socket:")) or nameless or stat.S_ISREG(mode) and flags & 3 == os.O_RDONLY,
             f"a stub has descriptor {number}: {link}, flags {flags:o}")


def jail(usbx):
    sandbox = Sandbox(usbx)
    try:
        for kind in ("sentry", *(("tracer",) if TRACED else ()), "factory", "template", "agent", "guest"):
            need(sandbox.parts.get(kind), f"no {kind} among {sandbox.parts}")
            tracer = sandbox.parts["tracer"][0] if TRACED and kind not in ("sentry", "tracer") else None
            for pid in sandbox.parts[kind]:
                what = f"the {kind} {pid}"
                check_rights(pid, what, tracer)
                check_surroundings(pid, what, sandbox.sentry)
                if kind in ("template", "agent", "guest"):
                    check_memory(pid, what)
        check_descriptors(sandbox)
        for tracer in sandbox.parts.get("tracer", []):
            need(not descriptors(tracer), f"the tracer has descriptors {descriptors(tracer)}")
    finally:
        status, out, err = sandbox.finish()
    need((status, out) == (0, "over\n"), f"status {status}: {out} {err}")
    return f"{ {kind: len(pids) for kind, pids in sandbox.parts.items()} }"


def apart(usbx):
    """Rule W5: two sandboxes share no namespace and no file that one of them can write."""
    both = [Sandbox(usbx), Sandbox(usbx)]
    try:
        for name in NAMESPACES:
            links = {os.readlink(f"/proc/{one.sentry}/ns/{name}") for one in both}
            need(len(links) == 2, f"two sandboxes share their {name} namespace")
        shared = [set(), set()]
        for one, files in zip(both, shared):
            for pid in {one.sentry} | set(one.parts["guest"]) | set(one.parts["agent"]):
                for line in read(pid, "maps").splitlines():
                    _, rights, _, device, inode, *_ = line.split()
                    if rights[3] == "s" and rights[1] == "w":
                        files.add((device, inode))
        need(all(shared) and not shared[0] & shared[1], f"writable memory that both map: {shared[0] & shared[1]}")
    finally:
        for one in both:
            one.finish()


# ---- kill -9 of one process

def killed(usbx, kind):
    """The sandbox ends, or goes on to its end; nothing is left; a crash is none of the endings."""
    sandbox = Sandbox(usbx)
    victims = sandbox.parts.get(kind, [])
    need(victims, f"no {kind} among {sandbox.parts}")
    victim = victims[len(victims) // 2]
    os.kill(victim, signal.SIGKILL)
    time.sleep(0.2)
    status, out, err = sandbox.finish()
    need("this is a bug" not in err and "must hold" not in err, err)
    lines = err.splitlines()
    if kind == "supervisor":
        need(status == -signal.SIGKILL, f"status {status}")
    elif kind == "sentry":
        need(status == 137 and len(lines) == 1 and "killed" in lines[0], f"status {status}: {err}")
    elif kind in ("factory", "template", "tracer"):
        need(status == 125 and len(lines) == 1 and "has ended" in lines[0], f"status {status}: {err}")
    elif kind == "blank":
        need((status, out) == (0, "over\n"), f"status {status}: {out} {err}")
    else:       # a process of the guest is gone as by SIGKILL: a job, the program with its threads, or the shell itself
        need(status == 137 or (status, out) == (0, "over\n"), f"status {status}: {out} {err}")
    return f"status {status}"


def cases(usbx):
    kinds = ("supervisor", "sentry", *(("tracer",) if TRACED else ()), "factory", "template", "blank", "agent", "guest")
    return {"the jail in /proc": lambda: jail(usbx), "two sandboxes share nothing": lambda: apart(usbx),
            **{f"kill -9 of a {kind}": lambda kind=kind: killed(usbx, kind) for kind in kinds}}
