"""What the host's kernel executes for a sandbox, seen from outside: raw_syscalls:sys_enter, which comes after seccomp and ptrace.

Two things are looked at. Calls that bear the attackers' mark in their sixth argument, whoever makes them: these are the
numbers that tests/attack/w1.c tries. And, for each guest thread, everything: once its host task has put on the guest's
program (seccomp with the program in the gate's sealed page is the last call with the platform's rights), only the free calls and
the signed memory calls may follow. A call that a tracer (platform/ptrace) has cancelled may show as number -1, which the kernel has
no function for; the seccomp call is always one of these. Where seccomp would kill, the tracer lets the process call exit_group with SIGSYS
as its status.

Millions of calls are more than a reader keeps up with; `brief` leaves the free and the memory calls to the kernel's own filter,
which lets through of futex what is neither WAIT nor WAKE.
"""
import collections
import ctypes
import os
import re
import threading
import time

FUTEX, SIGRETURN, ARCH_PRCTL, SECCOMP = 202, 15, 158, 317
CANCELLED = -1
EXIT_GROUP, KILLED_BY_TRACER = 231, b"1f"
TRACED = os.environ.get("USBX_PLATFORM") == "ptrace"
MEMORY = {9, 10, 11, 25, 28}    # mmap, mprotect, munmap, mremap, madvise: what gets through is signed
UNSEEN = {335, 336}             # uretprobe, uprobe: never reach seccomp, and do nothing but raise SIGILL
MARKS = {b"5afe5afe5afe", b"88888888"}      # of the 64-bit and of the 32-bit calls
GUEST_PROGRAM = b"700000008010"             # GATE_CONF + CONF_GUEST
EVENT = re.compile(rb"-(\d+) +\[\d+\][^\n]*?: (?:sys_enter: NR (-?\d+) \(([0-9a-f, ]*)\)|sched_process_exit: )")
HWCAP2_FSGSBASE = 2
FUTEX_EVENT = "events/syscalls/sys_enter_futex"
FUTEX_OTHER = re.compile(rb"-(\d+) +\[\d+\][^\n]*: sys_futex\(")
FUTEX_HARMLESS = 0x81       # FUTEX_WAIT is 0, FUTEX_WAKE 1, FUTEX_PRIVATE_FLAG 0x80
BUFFER_KB = 65536

ctypes.CDLL(None).getauxval.restype = ctypes.c_ulong
FREE = {FUTEX, SIGRETURN} | (set() if ctypes.CDLL(None).getauxval(26) & HWCAP2_FSGSBASE else {ARCH_PRCTL})


class Observer:
    """Collects what the kernel lets through in a process and its descendants."""

    def __init__(self, root, name, brief=False):
        self.dir = root / "instances" / f"usbx-attack-{os.getpid()}-{name}"
        self.dir.mkdir()
        self.marked, self.by_guests, self.guests, self.wrong = {}, {}, set(), set()
        self.sentry, self.untraced, self.lost, self.guests_ended = None, False, False, 0
        self.brief = brief and (self.dir / FUTEX_EVENT).exists()

    def put(self, name, text):
        (self.dir / name).write_text(text)

    def start(self, pid):
        self.put("buffer_size_kb", str(BUFFER_KB))
        self.command = pid
        self.put("options/event-fork", "1")
        self.put("set_event_pid", str(pid))
        if self.brief:
            self.put("events/raw_syscalls/sys_enter/filter", " && ".join(f"id != {n}" for n in {FUTEX, SIGRETURN} | MEMORY))
            self.put(f"{FUTEX_EVENT}/filter", f"op & {~FUTEX_HARMLESS & 0xffffffff:#x}")
            self.put(f"{FUTEX_EVENT}/enable", "1")
        self.put("events/sched/sched_process_exit/enable", "1")
        self.put("events/raw_syscalls/sys_enter/enable", "1")
        self.fd = os.open(self.dir / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.ending = False
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        rest = b""
        while True:
            try:
                data = os.read(self.fd, 1 << 20)
            except BlockingIOError:
                data = b""
            if not data:
                if self.ending:
                    return
                time.sleep(0.01)
                continue
            whole, _, rest = (rest + data).rpartition(b"\n")
            self.lost |= b"LOST" in whole
            for event in FUTEX_OTHER.finditer(whole):
                self.futex_other(int(event[1]))
            for event in EVENT.finditer(whole):
                if event[2]:
                    self.call(int(event[1]), int(event[2]), event[3].split(b", "))
                else:
                    self.ended(int(event[1]))

    def drop_sentry(self, pid):
        """Its own calls are host.def's business, and half of all events: away with them, once its children are there."""
        if self.sentry is None and pid != self.command:
            self.sentry = pid
        if self.guests and self.sentry and not self.untraced:
            self.untraced = True
            self.put("set_event_notrace_pid", str(self.sentry))

    def ended(self, pid):
        """Its number may come again."""
        if pid in self.guests:
            self.guests.remove(pid)
            self.guests_ended += 1

    def call(self, pid, number, arguments):
        self.drop_sentry(pid)
        if TRACED and number == EXIT_GROUP and arguments[0] == KILLED_BY_TRACER:
            return
        if arguments[5] in MARKS:
            self.marked[number] = self.marked.get(number, 0) + 1
        if pid in self.guests:
            self.by_guests[number] = self.by_guests.get(number, 0) + 1
            if number == FUTEX and int(arguments[1], 16) & 0xffffffff & ~FUTEX_HARMLESS:
                self.futex_other(pid)
            if number == ARCH_PRCTL and not 0x1001 <= int(arguments[0], 16) & 0xffffffff <= 0x1004:
                self.wrong.add("arch_prctl besides the segment bases")
        elif number in (SECCOMP, CANCELLED) and arguments[2] == GUEST_PROGRAM:
            self.guests.add(pid)

    def futex_other(self, pid):
        if pid in self.guests:
            self.wrong.add("a futex operation besides WAIT and WAKE")

    def stop(self):
        self.put("events/raw_syscalls/sys_enter/enable", "0")
        time.sleep(0.1)
        self.ending = True
        self.thread.join()
        os.close(self.fd)
        self.dir.rmdir()

    def problem(self):
        """None, or what reached the host although it must not."""
        if self.lost:
            return "the observer lost events"
        if not (self.guests or self.guests_ended) or not (self.brief or self.marked.get(FUTEX)):
            return "the observer saw nothing: neither guests nor the marked futex call that w1 makes"
        marked = sorted(set(self.marked) - FREE - UNSEEN - {CANCELLED})
        guests = sorted(set(self.by_guests) - FREE - MEMORY - UNSEEN - {CANCELLED})
        if marked or guests:
            return f"calls that reached the host: {marked} with the mark, {guests} by guest threads"
        return "; ".join(sorted(self.wrong)) or None


class Seen:
    """The sum of what several observers saw."""

    def __init__(self):
        self.marked, self.by_guests, self.guests = collections.Counter(), collections.Counter(), 0

    def add(self, one):
        self.marked.update(one.marked)
        self.by_guests.update(one.by_guests)
        self.guests += len(one.guests) + one.guests_ended

    def __str__(self):
        return (f"the host executed {dict(sorted(self.marked.items()))} with the mark, and for {self.guests} guest threads "
                f"{dict(sorted(self.by_guests.items()))}") if self.guests else "not observed"
