"""What usbx says of itself: help, the manual page, completions."""
import re
import subprocess

from lib import *


def option_rows():
    """The names of options.def, with their topics."""
    text = (ROOT / "runtime" / "options.def").read_text()
    rows = re.findall(r'^OPTION\((\w+), "([\w-]+)",.*?, ([A-Z]+),\s+(?:ONCE|MANY),', text, re.M | re.S)
    expect(len(rows), len(re.findall(r"^OPTION\(", text, re.M)))
    return [(name, topic.lower()) for _, name, topic in rows]


def case_help_and_version():
    assert re.fullmatch(r"usbx \d+\.\d+\nfor Linux on x86-64, built by gcc .* with glibc .*\n", usbx("--version").stdout)
    overview, options = usbx("--help"), usbx("run", "--help")
    expect([overview.returncode, options.returncode], [0, 0])
    for name, topic in option_rows():
        assert f"--{name}" in options.stdout, name
        assert f"--{name}" in usbx("help", topic).stdout, (name, topic)
        assert topic == "help" or f"\n  {topic} " in overview.stdout, topic
    for text in (overview.stdout, options.stdout):
        assert max(map(len, text.splitlines())) <= 80, text
    for same in (("help",), ("-h",)):
        expect(usbx(*same).stdout, overview.stdout, same)
    for same in (("run", "-h"), ("help", "run"), ("--help=run",), ("run", "--memory", "1G", "--help", "--", "x")):
        expect(usbx(*same).stdout, options.stdout, same)
    for same in (("--help=limits",), ("run", "--help=limits")):
        expect(usbx(*same).stdout, usbx("help", "limits").stdout, same)
    with open("/dev/full", "w") as full:
        for words in (("--help",), ("run", "--help"), ("help", "files"), ("syscalls",), ("--version",), ("--host-calls",)):
            expect_complaint(usbx(*words, capture_output=False, stdout=full, stderr=subprocess.PIPE), 125, "standard output", "No space")


def case_did_you_mean():
    for arguments, words in [
            (("run", "--tmeout", "5", "true"), ["--tmeout", "did you mean --timeout?"]), (("run", "--rootsf=x", "true"), ["--rootsf=x", "--rootfs?"]),
            (("run", "--xyzzy", "true"), ["--xyzzy", "usbx run --help"]), (("run", "--" + "x" * 9000, "true"), ["--xxx"]),
            (("run", "--tty=5", "true"), ["--tty", "no value"]), (("run", "-Tz", "true"), ["-z"]), (("run", "--t", "true"), ["--timeout or --tty"]),
            (("rnu", ), ["usbx run"]), (("python3",), ["usbx run -- python3"]), (("helpp",), ["usbx help"]), (("help", "file"), ["files?"]),
            (("help", "xyzzy"), ["xyzzy", "files, process, limits"]), (("help", "files", "limits"), ["limits"]), (("run", "--help=fils"), ["files?"]),
            (("--help=", ), ["help"]), (("\xff\xfe\x1b[2J",), ["?[2J"])]:
        expect_complaint(usbx(*arguments, errors="surrogateescape"), 125, *words)


def case_host_calls():
    listed = [line.split()[0] for line in usbx("--host-calls").stdout.splitlines()]
    assert 0 < len(listed) <= 45, len(listed)
    expect(listed, re.findall(r"^HOST\((\w+),", (ROOT / "platform" / "host.def").read_text(), re.M))


def case_syscalls():
    text = usbx("syscalls")
    expect(text.returncode, 0)
    assert "getppid" in text.stdout and "MISSING" in text.stdout.upper()


# ---- completions

BASH = r"""
compopt() { :; }
compgen_names() { COMPREPLY=("command $1"); }
source "$1"
_command_offset() { COMPREPLY=("command at $1"); }
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_usbx
printf '%s\n' "${COMPREPLY[@]}"
"""


def bash_offers(*words):
    """What bash would offer for the last of these words, as bash cuts them (= and : are words of their own)."""
    result = subprocess.run(["bash", "--norc", "-c", BASH, "bash", ROOT / "runtime" / "completion" / "usbx.bash", "usbx", *words],
                            capture_output=True, text=True, cwd="/usr", timeout=LIMIT_S)
    expect((result.returncode, result.stderr), (0, ""), words)
    return result.stdout.split("\n")[:-1]


def case_bash_completion():
    names = ["--" + name for name, _ in option_rows()]
    offered = [word.rstrip("=") for word in bash_offers("run", "--")]
    expect(sorted(offered), sorted(names))
    for words, wanted in [
            (("r",), ["run"]), (("",), "help"), (("help", "fi"), ["files"]), (("help", "files", ""), [""]), (("syscalls", ""), [""]),
            (("run", "--mem"), ["--memory"]), (("run", "--memory", "1G", "--timeo"), ["--timeout"]), (("run", "--memory", "=", "1G", "-t", "--stra"), ["--strace="]),
            (("run", "--rootfs", "loc"), ["local"]), (("run", "--rootfs", "=", "loc"), ["local"]), (("run", "--rootfs", "="), "bin"),
            (("run", "--user", "=", "roo"), ["root"]), (("run", "--env", "PAT"), ["PATH"]), (("run", "--timeout", ""), [""]),
            (("run", "--debug", "=", "no"), ["no-patch", "no-spin"]), (("run", "--debug", "=", "log,ep"), ["log,epoll"]),
            (("run", "--help", "=", "lim"), ["limits"]), (("run", "--strace", ""), ["command at 3"]),
            (("run", "--mount", "/usr", ":", "/x", ":", "ro", "--mem"), ["--memory"]), (("run", "--mount", "=", "/usr", ":", "/x", "--", "ls"), ["command at 8"]),
            (("run", "ls"), ["command at 2"]), (("run", "--", "ls", "--mem"), ["command at 3"]), (("run", "-T", "ls", "--mem"), ["command at 3"])]:
        found = bash_offers(*words)
        assert wanted in found if isinstance(wanted, str) else found == wanted, (words, found, wanted)


class Zsh(Terminal):
    """A zsh with nothing but our completion."""

    def __init__(self):
        super().__init__("/usr/bin/zsh", "-f", PATH=f"{os.path.dirname(USBX)}:/usr/bin:/bin", TERM="dumb")
        self.type(f"PS1='rea''dy ' LISTMAX=1000; fpath=({ROOT}/runtime/completion $fpath); autoload -Uz compinit; compinit -u -D; cd /usr; unsetopt promptsp\n")
        self.settle()

    def settle(self):
        """Until it reads the next line: then it says that pasting is welcome."""
        self.type("\x15print do''ne\n")
        self.wait(r"done\r\n[^\n]*\x1b\[\?2004h")

    def shows(self, typed, text):
        """After typed and a tab; then the line is emptied. Bells, and the bold that ends between a word and what follows it, do not count."""
        self.type(typed + "\t")
        self.wait(r"(\x1b\[\d*m|[\x00\x07])*".join(re.escape(letter) for letter in text))
        self.settle()


def case_zsh_completion():
    if not os.path.exists("/usr/bin/zsh"):
        raise Skip("no zsh here")
    with Zsh() as zsh:
        for typed, text in [("usbx ru", "run "), ("usbx run --memo", "--memory="), ("usbx run --mem=1G --timeo", "--timeout="), ("usbx help lim", "limits "),
                            ("usbx run --rootfs=loc", "local/"), ("usbx run --debug=epo", "epoll"), ("usbx run -- whoa", "whoami "),
                            ("usbx run -t whoa", "whoami "), ("usbx run -- ls loc", "local/"), ("usbx run --mount\t", "games/")]:
            zsh.shows(typed, text)
        for name, _ in option_rows():
            zsh.shows(f"usbx run --{name[:-1]}", f"--{name}")


def case_manual_page():
    if not (ROOT / "docs").exists():
        raise Skip("a copy without the documentation")
    shown = subprocess.run(["mandoc", "-T", "ascii", ROOT / "docs" / "usbx.1"], capture_output=True, text=True, timeout=LIMIT_S)
    plain = re.sub(".\b", "", shown.stdout)
    expect((shown.returncode, shown.stderr), (0, ""))
    for name, _ in option_rows():
        assert f"--{name}" in plain, name
