"""Options kept in a file (docs/config.md)."""
from lib import *


def configured(place, text, *words, options=(), name="usbx.yaml", **more):
    path = place / name
    path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text)
    return run(*words or ("true",), options=["--config", path, *options], **{"cwd": "/", **more})


def case_config():
    with directory() as place:
        for name in ("shown", "kept", "a:b"):
            (place / name).mkdir()
        (place / "shown" / "f").write_text("shown\n")
        text = 'mount: ["shown:/s", \'a\\:b:/c:rw\']\nrw: [kept]\nhostname: box\nworkdir: /s\nmemory: 64M\ntimeout: 50\nno-tty: true\nstrace: false\nenv:\n- A=one\n- B=two\n'
        result = configured(place, text, "sh", "-c", f"cat f; pwd; hostname; echo $A $B $C; echo x >/c/new; echo x >{place}/kept/new; grep MemTotal /proc/meminfo",
                            options=["--env", "B=three", "--env", "C=four", "--memory", "128M"])
        expect_output(result, "shown\n/s\nbox\none three four\nMemTotal:         131072 kB\n")
        expect(((place / "a:b" / "new").read_text(), (place / "kept" / "new").read_text()), ("x\n", "x\n"))
        for text in ("", "# nothing\n", "---\n", "---\nmemory: 1G\n...\n", '{"memory": "1G", "env": ["A=b"]}', "env: []\n"):
            expect((configured(place, text).returncode, text), (0, text))
        # Nothing is read that was not named.
        (place / "usbx.yaml").write_text("nonsense: 1\n")
        expect(run("true", cwd=place).returncode, 0)


def case_config_that_makes_no_sense():
    with directory() as place:
        for text, words in [
                ("memry: 1G", ["usbx.yaml:1", "memry", "did you mean memory?"]), ("\n\nxyzzy: 1", ["usbx.yaml:3", "xyzzy"]), ("memory: 1", ["usbx.yaml:1", "--memory 1:"]),
                ("timeout: 1\nmemory: -5M", ["usbx.yaml:2", "-5M"]), ("memory: 99999999999999T", ["usbx.yaml:1", "99999999999999T"]), ("memory: 1G\nmemory: 2G", ["usbx.yaml:2", "line 1"]),
                ("memory: [1G]", ["usbx.yaml:1", "memory", "list"]), ("memory: {a: b}", ["memory", "mapping"]), ("memory: true", ["memory", "SIZE"]), ("memory:", ["memory", "SIZE"]),
                ("rw: .", ["rw", "list"]), ("rw: [[.]]", ["rw", "texts"]), ("rw: [/no/such]", ["usbx.yaml:1", "--rw", "/no/such"]), ("rw:\n- .\n- none", ["usbx.yaml:3", "none"]),
                ("mount: ['shown:/x:rx']", ["rx"]), ("workdir: rel", ["rel"]), ("tty: 'true'", ["tty", "true or false"]), ("tty: yes", ["tty"]), ("config: x", ["command line"]),
                ("help: true", ["command line"]), ("- memory", ["option: value"]), ("memory", ["option: value"]), ("[a]: b", ["key"]), ("a: [", ["usbx.yaml:"]), ("\t", ["usbx.yaml:1"]),
                ("env: [&a A=1, *a]", ["anchors"]), ("hostname: !!str x", ["tags"]), ("memory: 1G\n---\nmemory: 1G", ["usbx.yaml:2", "second"]), (b"\xff\xfe\xff", ["usbx.yaml:"]),
                ('hostname: "a\\0b"', ["zero"]), ("hostname: \"\x1b[2J\"", ["usbx.yaml:1"]), ("hostname: 'a b'", ["--hostname"]), ("x" * 70000, ["64 KiB"]), ("[" * 5000, ["usbx.yaml:"]),
                ("env:\n" + "- A=1\n" * 500 + "- =x", ["usbx.yaml:502", "=x"])]:
            expect_complaint(configured(place, text), 125, *words)
        for path, word in (("none", "No such file"), (".", "regular file"), ("", "empty"), ("/dev/null", "regular file"), ("usbx.yaml/x", "Not a directory")):
            expect_complaint(run("true", options=["--config", path], cwd=place), 125, "--config", word)


def case_a_sandbox_cannot_widen_the_next():
    attempt = """for name in usbx.yaml other.yaml; do
        { echo "rw: [/]" >$name; } 2>&- || echo no write; rm -f $name 2>&- || echo no rm; mv $name z 2>&- || echo no mv; ln $name z 2>&- || echo no ln
        echo x >new; mv new $name 2>&- || echo no replace; truncate -s 0 $name 2>&- || echo no truncate
        done"""
    refused = "no write\nno rm\nno mv\nno ln\nno replace\nno truncate\n"
    with directory() as place:
        for name in ("usbx.yaml", "other.yaml"):
            (place / name).write_text("rw: [.]\n")
        expect_output(run("sh", "-c", attempt, options=["--config", "other.yaml"], cwd=place), refused * 2)
        expect(((place / "usbx.yaml").read_text(), (place / "other.yaml").read_text()), ("rw: [.]\n", "rw: [.]\n"))
        # Without --config, and at another place: the one that is called so.
        for options in (["--rw", "."], ["--mount", f"{place}:/x:rw", "--workdir", "/x"]):
            result = run("sh", "-c", attempt.replace("other.yaml", ""), options=options, cwd=place)
            expect_output(result, refused)
            expect((place / "usbx.yaml").read_text(), "rw: [.]\n")
        # What could be replaced with the directory around it, or is given away itself.
        (place / "d").mkdir()
        expect_complaint(configured(place / "d", "", options=["--rw", place]), 125, str(place / "d" / "usbx.yaml"), "widen")
        os.symlink("d", place / "l")
        expect_complaint(configured(place / "l", "", options=["--rw", place]), 125, "widen")
        expect_complaint(configured(place, "", options=["--rw", place / "usbx.yaml"]), 125, "widen")
        expect_complaint(configured(place, "rw: ['..']\n", cwd=place), 125, "widen")
