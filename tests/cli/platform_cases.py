"""Cases of tests/cli/run about platforms: which one is taken, and that all of it works where the host refuses what the other needs."""
import ctypes
import errno

from lib import *

SECCOMP, PTRACE = 317, 101
SCRIPT = "(sleep 0.01; exit 3); a=$?; python3 -c 'import threading as t; x = t.Thread(target=print, args=(1,)); x.start(); x.join()' & wait; " \
         "echo $a; id -u; read x"
PLAIN = {name: value for name, value in os.environ.items() if name != "USBX_PLATFORM"}


def refuse(error, *numbers):
    """For preexec_fn: from here on the host refuses these system calls with this error, as a container's profile does. A small
    program in classic BPF, by hand."""
    load, equal, give, allow, fail = 0x20, 0x15, 0x06, 0x7fff0000, 0x50000
    insns = [(load, 0, 0, 0), *((equal, len(numbers) - i, 0, number) for i, number in enumerate(numbers)), (give, 0, 0, allow), (give, 0, 0, fail | error)]
    insns = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *insn) for insn in insns))
    program = struct.pack("HxxxxxxQ", len(numbers) + 3, ctypes.addressof(insns))
    libc = ctypes.CDLL(None, use_errno=True)

    def load_program(keep=insns):
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program):     # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP
            raise OSError(ctypes.get_errno(), "seccomp")
    return load_program


def tracers(command):
    """Who traces the sentry, and who its children: sets of pids, 0 for nobody."""
    def children(pids):
        return subprocess.run(["pgrep", "-P", ",".join(pids)], capture_output=True, text=True).stdout.split()

    def of(pids):
        found = set()
        for pid in pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):    # a stub that has just ended
                found.add(int(re.search(r"^TracerPid:\t(\d+)$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]))
        return found
    sentry = children([str(command)])
    return of(sentry), of(children(sentry))


def check_platform(sentry_traced, stubs_traced, options=(), **how):
    """A shell, a python with a thread, a child: all works, and traced is who must be."""
    with subprocess.Popen([USBX, "run", *options, "--", "sh", "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", text=True,
                          **how) as process:
        expect([process.stdout.readline() for _ in range(3)], ["1\n", "3\n", f"{os.geteuid()}\n"])
        sentry, stubs = tracers(process.pid)
        expect((sentry != {0}, stubs != {0}), (sentry_traced, stubs_traced), (options, sentry, stubs))
        process.communicate("\n", timeout=LIMIT_S)
    expect(process.returncode, 0)


def case_platforms():
    for options, environment in ((["--platform=systrap"], "ptrace"), (["--platform=auto"], "ptrace"), ((), "systrap"), ((), "auto")):
        check_platform(False, False, options, env={**PLAIN, "USBX_PLATFORM": environment})
    check_platform(False, True, ["--platform=ptrace"], env=PLAIN)
    check_platform(False, True, env={**PLAIN, "USBX_PLATFORM": "ptrace"})
    expect_complaint(run("true", env={**PLAIN, "USBX_PLATFORM": "x"}), 125, "--platform", "systrap")


def case_a_host_without_seccomp():
    """ptrace is picked by itself, and stands in for the sentry's own filter too."""
    for error in (errno.EPERM, errno.EINVAL, errno.ENOSYS):
        check_platform(True, True, env=PLAIN, preexec_fn=refuse(error, SECCOMP))
    check_platform(True, True, ["--debug=epoll"], env=PLAIN, preexec_fn=refuse(errno.EPERM, SECCOMP))
    how = {"env": PLAIN, "preexec_fn": refuse(errno.EPERM, SECCOMP)}
    expect(run("sh", "-c", "exit 7", **how).returncode, 7)
    expect_complaint(run("sleep", "60", options=["--timeout", "0.5"], **how), 124, "--timeout 0.5")
    expect_complaint(run("true", options=["--platform=systrap"], **how), 125, "seccomp", "--platform=ptrace")
    for number in (59, 41, 2, 57, 101, 425):
        expect_complaint(subprocess.run([FORBIDDEN, "run", "--", "true"], capture_output=True, text=True, timeout=LIMIT_S,
                                        preexec_fn=how["preexec_fn"], env={**PLAIN, "USBX_PROBE": str(number)}), 125, "status 31", "bug")


def case_a_host_without_ptrace():
    expect(run("true", env=PLAIN, preexec_fn=refuse(errno.EPERM, PTRACE)).returncode, 0)
    expect_complaint(run("true", options=["--platform=ptrace"], preexec_fn=refuse(errno.EPERM, PTRACE)), 125, "ptrace", "yama")
    expect_complaint(run("true", env=PLAIN, preexec_fn=refuse(errno.EPERM, SECCOMP, PTRACE)), 125, "seccomp", "ptrace", "profile")
