"""Terminals: keys, jobs, windows, and how the person's own is left."""
from lib import *


def case_a_terminal():
    seen, status = on_terminal([USBX, "run", "--", "sh", "-c", "stty size; test -t 0 -a -t 1 -a -t 2 && echo ready; read line; echo got $line"],
                               [b"words\n"])
    expect((seen.replace("\r", "").splitlines(), status), (["33 77", "ready", "words", "got words"], 0))


def case_ctrl_c_on_a_terminal():
    seen, status = on_terminal([USBX, "run", "--", "sh", "-c", "echo ready; sleep 60; echo not reached"], [b"\x03"])
    assert "not reached" not in seen, seen
    expect(status, 130)
    seen, status = on_terminal([USBX, "run", "--", "python3", "-c", "import time\ntry:\n print('ready', flush=True)\n time.sleep(60)\n"
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
                children = pathlib.Path(f"/proc/{person.pid}/task/{person.pid}/children").read_text().split()
                os.kill(int(children[0]), signal.SIGKILL)
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
