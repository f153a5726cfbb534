"""Rules of what a sandbox may reach, as options and as a file (docs/policy.md): those that make no sense are refused."""
from lib import *


def case_rules_that_make_no_sense():
    for option, words in [("--allow=10.0.0.1/8", ["--allow 10.0.0.1/8", "10.0.0.0/8"]), ("--allow=*", ["public"]), ("--allow=a.*.b", ["*.example.org"]),
                          ("--allow=010.0.0.1", ["--allow 010.0.0.1", "IPv4"]), ("--allow=0x7f000001", ["neither a name nor an address"]), ("--allow=host:0", ["port"]),
                          ("--allow=host:99999", ["port"]), ("--allow=host:5-4", ["range"]), ("--allow=host/sctp", ["/sctp", "/tcp"]), ("--allow=1.2.3.4:5/icmp", ["ports"]),
                          ("--allow=https://host/", ["--allow https://host/"]), ("--allow=[::1", ["bracket"]), ("--allow=[::ffff:1.2.3.4]", ["1.2.3.4"]), ("--deny=public", ["public"]),
                          ("--allow=", ["--allow", "empty"]), ("--listen=0", ["--listen"]), ("--listen=80/icmp", ["--listen"]), ("--name=1234", ["--name"]), ("--name=a/b", ["--name"])]:
        expect_complaint(run("true", options=["--net=tap:usbx-none", "--net-address", "10.1.2.3/24", option]), 125, *words)
    expect_complaint(run("true", options=["--allow", "a.example"]), 125, "--net")
    expect_complaint(run("true", options=["--net=user", "--allow", "10.1.0.0/16:80", "--deny", "10.0.0.0/8"]), 125, "--allow 10.1.0.0/16:80", "--deny 10.0.0.0/8")
    expect_complaint(run("true", options=["--name", "box"]), 125, "--name box", "--net")


def check(path):
    return subprocess.run([USBX, "policy", "check", path], capture_output=True, text=True)


def case_policy_files():
    with directory() as place:
        path = place / "p.yaml"
        for text, rules in (("", 0), ("allow: [a.example, '*.b.example:443']\ndeny: [c.b.example]\nlisten: [80, 1-2/udp]\nlimits: {connections: 5, up: 10M}\n", 3), ("# none\n", 0)):
            path.write_text(text)
            result = check(path)
            expect((result.returncode, result.stdout), (0, f"{path}: {rules} rules\n"))
        for text, words in [
                ("alow: [a]", [":1", "alow", "allow, deny, listen and limits"]), ("allow: [a.example]\n\nallow: [b.example]", [":3", "line 1"]), ("allow: a.example", [":1", "list"]),
                ("allow:\n- a.example\n- 10.0.0.1/8\n", [":3", "10.0.0.0/8"]), ("allow:\n- 10.1.0.0/16\ndeny:\n- 10.0.0.0/8", [":2", "10.1.0.0/16", "line 4"]),
                ("allow:\n- a.example\ndeny:\n- a.example", [":2", "a.example", "line 4"]), ("allow: [[a]]", [":1", "texts"]), ("limits: {connections: 0}", [":1", "connections"]),
                ("limits: {conections: 1}", [":1", "conections"]), ("limits: {up: 10X}", [":1", "10X"]), ("limits: {up: 99999999T}", [":1", "too large"]), ("limits: 5", [":1"]),
                ("limits:\n  up: 1\n  up: 2", [":3", "line 2"]), ("listen: [70000]", [":1", "70000"]), ("- a", [":1"]), ("allow: [", [":"]), ("allow: [&a b.example, *a]", ["anchors"]),
                ("allow: [a.example]\n---\nallow: [b.example]", [":2", "second"]), ("allow: [\"a\\0b\"]", ["zero"]), ("[a]: b", ["key"]), ("#" * 300000, ["256 KiB"])]:
            path.write_text(text)
            expect_complaint(check(path), 125, path.name, *words)
        expect_complaint(check(place), 125, "regular file")
        expect_complaint(check(place / "none"), 125, "No such file")
        # What the sandbox may write must neither widen the next one nor be its own record.
        path.write_text("allow: [a.example]\n")
        (place / "in").mkdir()
        (place / "in" / "p.yaml").write_text("allow: [a.example]\n")
        expect_complaint(run("true", options=["--net=user", "--policy", place / "in" / "p.yaml", "--rw", place]), 125, "--policy", "widen")
        expect_complaint(run("true", options=["--net=user", "--audit", place / "in" / "log", "--rw", place]), 125, "--audit", "--rw")


def case_policy_command():
    for words, wanted in [((), "policy"), (("none-of-that-name", "show"), "none-of-that-name"), (("a/b", "show"), "a/b"), (("x", "set"), "policy"), (("x", "sho"), "policy"), (("x", "set", "/none"), "/none")]:
        expect_complaint(subprocess.run([USBX, "policy", *words], capture_output=True, text=True), 125, wanted)
    expect(subprocess.run([USBX, "policy", "list"], capture_output=True, text=True).returncode, 0)
    expect(subprocess.run([USBX, "policy", "--help"], capture_output=True, text=True).stdout.split("\n")[0][:6], "usage:")
