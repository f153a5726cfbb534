"""Terminals: keys, jobs, windows, and how the person's own is left."""
from lib import *


def case_a_terminal():
    seen, status = on_terminal([USBX, "run", "--", "sh", "-c", "stty size; test -t 0 -a -t 1 -a -t 2 && echo ready; read line; echo got $line"],
                               [b"words\n"])
    expect((seen.replace("\r", "").splitlines(), status), (["33 77", "ready", "words", "got words"], 0))


def case_ctrl_c_on_a_terminal():
    # Who says that he is ready runs by then: dash loses an interrupt that comes between its vfork and the exec.
    waits = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); print('ready', flush=True); time.sleep(60)"
    seen, status = on_terminal([USBX, "run", "--", "sh", "-c", 'python3 -c "$0"; echo not reached', waits], [b"\x03"])
    assert "not reached" not in seen, seen
    expect(status, 130)
    seen, status = on_terminal([USBX, "run", "--", "python3", "-c", "import time\ntry:\n print('ready', flush=True)\n while True: time.sleep(0.1)\n"
                                "except KeyboardInterrupt:\n print('caught')"], [b"\x03"])
    assert "caught" in seen, seen
    expect(status, 0)


def case_job_control():
    with Terminal(USBX, "run", "--", "bash", "--norc", "-i", PS1="% ") as person:
        person.type("PS1='% '; tty\n")
        person.wait(r"\n/dev/pts/0\r\n% ")
        person.type("sleep 100\n")
        time.sleep(0.3)
        person.type("\x1a")
        person.wait(r"\^Z\r\n\[1\]\+  Stopped +sleep 100\r\n% ")
        person.type("sleep 200 &\n")
        person.wait(r"\[2\] \d+\r\n% ")
        person.type("jobs\n")
        person.wait(r"\[1\]\+  Stopped +sleep 100\r\n\[2\]-  Running +sleep 200 &\r\n% ")
        person.type("bg %1\n")
        person.wait(r"\[1\]\+ sleep 100 &\r\n% ")
        person.type("fg %2\n")
        person.wait(r"sleep 200\r\n")
        time.sleep(0.2)
        person.type("\x03")
        person.wait(r"\^C\r\n% ")
        person.type("cat &\n")
        person.wait(r"\[2\] \d+\r\n")
        time.sleep(0.5)
        person.type("\n")
        person.wait(r"\[2\]\+  Stopped +cat\r\n% ")
        person.type("fg\n")
        person.wait(r"cat\r\n")
        person.type("words\n\x04")
        person.wait(r"words\r\nwords\r\n% ")
        person.type("kill %1; wait; jobs; echo ended\n")
        person.wait(r"\nended\r\n% ")
        person.type("stty -a | grep -c 'isig icanon'; exit 7\n")
        person.wait(r"\n1\r\n")
        expect(person.end(), 7)


def case_the_terminal_is_put_back():
    for how in ("exit", "kill"):
        with Terminal(USBX, "run", "--", "sh", "-c", "stty -echo; echo ready; read line") as person:
            person.wait("ready")
            assert not person.settings()[3] & (termios.ICANON | termios.ISIG | termios.ECHO), "not raw"
            if how == "exit":
                person.type("\n")
            else:
                os.kill(child_named(person.pid, "usbx"), signal.SIGKILL)
            # The settings are those of the terminal, which is there as long as its master is.
            expect(person.end(), 0 if how == "exit" else 137)
            wanted = termios.ICANON | termios.ISIG | termios.ECHO
            expect(person.settings()[3] & wanted, wanted, how)
            assert person.settings()[1] & termios.OPOST


def case_the_window_changes():
    script = "trap 'stty size' WINCH; echo ready; until read -t 0.1 line; do :; done"
    with Terminal(USBX, "run", "--", "bash", "-c", script) as person:
        person.wait("ready")
        fcntl.ioctl(person.master, termios.TIOCSWINSZ, struct.pack("HHHH", 41, 99, 0, 0))
        person.wait(r"41 99\r\n")
        person.type("\n")
        expect(person.end(), 0)


def case_a_terminal_or_none():
    """-t makes one of pipes, -T leaves the caller's."""
    result = run("sh", "-c", "read x; tty; cat; echo err >&2", options=["-t"], stdin=None, input="echo\nline\n")
    expect((result.returncode, result.stdout, result.stderr), (0, "echo\nline\n/dev/pts/0\nline\nerr\n", ""))
    with Terminal(USBX, "run", "-T", "--", "sh", "-c", "test -t 0 && echo ready; test -e /dev/pts/0 || echo none; read x; echo got $x") as person:
        person.wait("ready\r\nnone")
        assert person.settings()[3] & termios.ICANON
        person.type("it\n")
        person.wait("got it")
        expect(person.end(), 0)
    # One end only: the terminal stays the caller's.
    with Terminal("/bin/sh", "-c", f"{USBX} run -- sh -c 'test -e /dev/pts/0 || echo none; test -t 0 && echo in' | cat") as person:
        person.wait("none\r\nin")
        expect(person.end(), 0)


def child_named(pid, name):
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if pathlib.Path(f"/proc/{child}/comm").read_text() == f"{name}\n":
            return int(child)
    raise AssertionError(f"{pid} has no child {name}")


def person_in_a_shell(shell="/bin/dash"):
    """One that leaves the terminal as a dead command has left it."""
    person = Terminal(shell, "-i", PS1="% ", U=USBX)
    person.wait("% ")
    return person


def is_raw(person):
    return not person.settings()[3] & (termios.ICANON | termios.ISIG | termios.ECHO)


def case_the_terminal_is_put_back_after_kill_9():
    with person_in_a_shell() as person:
        for whole_group in (False, True):
            before = person.settings()
            person.type("$U run -- sh -c 'echo rea''dy; exec sleep 100'\n")
            person.wait("ready\r\n")
            assert is_raw(person)
            pid = child_named(person.pid, "usbx")
            members = tree_of(pid)
            (os.killpg if whole_group else os.kill)(pid, signal.SIGKILL)
            person.wait("Killed")
            end = time.monotonic() + LIMIT_S
            while (person.settings() != before or still_there(members)) and time.monotonic() < end:
                time.sleep(0.01)
            expect(person.settings(), before, whole_group)
            expect(still_there(members), set(), "processes left")
        person.type("echo works\n")
        person.wait("echo works\r\nworks\r\n")
    # The guardian of one that was killed while it was stopped leaves the terminal to whoever has it now.
    with person_in_a_shell() as person:
        person.type("$U run -- sh -c 'echo rea''dy; exec sleep 100'\n")
        person.wait("ready\r\n")
        first = child_named(person.pid, "usbx")
        os.kill(first, signal.SIGTSTP)
        person.wait("Stopped.*\n% ")
        person.type("$U run -- sh -c 'echo rea''dy; read x; echo got $x'\n")
        person.wait("ready\r\n")
        os.kill(first, signal.SIGKILL)
        time.sleep(0.3)
        assert is_raw(person)
        person.type("it\r")
        person.wait("got it")


def case_ctrl_z_without_a_terminal_of_its_own():
    with person_in_a_shell() as person:
        person.type("$U run -T -- cat\n")
        person.type("one\n")
        person.wait("one\r\none\r\n")
        person.type("\x1a")
        person.wait(r"Stopped.*\n% ")
        person.type("fg\n")
        person.wait("fg\r\n.*cat\r\n")
        person.type("two\n")
        person.wait("two\r\ntwo\r\n")
        person.type("\x03")
        person.wait("% ")
        person.type("echo $?\n")
        person.wait("130\r\n")


def case_in_the_background():
    """It leaves the terminal to the shell, and takes its input from there when it is brought to the foreground."""
    with person_in_a_shell() as person:
        person.type("$U run -- sh -c 'echo rea''dy; cat' &\n")
        person.wait("ready\r\n")
        assert not is_raw(person)
        person.type("echo still $((20 + 1))\n")
        person.wait("still 21\r\n")
        person.type("fg\n")
        person.wait(r"cat\"\r\n")
        person.type("words\n\x04")
        person.wait("words\r\nwords\r\n% ")


def case_the_terminal_goes_away():
    for options in ((), ("-T",)):
        person = Terminal(USBX, "run", *options, "--", "sh", "-c", "echo ready; exec sleep 100")
        person.wait("ready")
        members = tree_of(person.pid)
        os.close(person.master)
        _, status = os.waitpid(person.pid, 0)
        expect(os.waitstatus_to_exitcode(status), 129, options)
        end = time.monotonic() + 10
        while still_there(members) and time.monotonic() < end:
            time.sleep(0.02)
        expect(still_there(members), set(), "processes left")


def case_nobody_hears_the_complaint():
    """Standard error is a pipe that nobody reads, or full, or closed: the status says it."""
    for redirection in ("2>/dev/full", "2>&-", "2> >(exec 0<&-; sleep 0.1)"):
        for words, status in (("run --nonsense -- true", 125), ("run -- /no/such", 127), ("run --timeout 0.2 -- sleep 9", 124)):
            result = subprocess.run(["bash", "-c", f'"$0" {words} {redirection}; echo $?', USBX], capture_output=True, text=True, timeout=LIMIT_S)
            assert result.stdout in (f"{status}\n", "141\n" if "--nonsense" in words else f"{status}\n"), (redirection, words, result)
