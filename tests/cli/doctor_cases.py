"""What usbx doctor says of a host, also of one that forbids something."""
from lib import *


def doctor(*before):
    result = subprocess.run([*map(str, before), USBX, "doctor", "--json"], capture_output=True, text=True, timeout=LIMIT_S)
    found = json.loads(result.stdout)
    expect((result.returncode, result.stderr), (0 if found["runs"] else 1, ""))
    return found


def case_doctor():
    found = doctor()
    assert found["runs"] and found["platform"] in ("systrap", "ptrace"), found
    for name in ("namespaces", "memfd", "systrap", "sandbox"):
        expect((name, found["checks"][name]["ok"]), (name, True))
    text = usbx("doctor")
    expect(text.returncode, 0, text.stderr)
    for name, check in found["checks"].items():
        assert re.search(rf"^(ok|no|MISSING) +{name} ", text.stdout, re.M), name
        expect((name, "remedy" in check), (name, not check["ok"]))
        assert check["ok"] or check["remedy"] in text.stdout, name
    assert text.stdout.endswith(f"usbx runs here, on the platform {found['platform']}\n"), text.stdout
    expect(found["checks"]["kvm"]["ok"], os.path.exists("/dev/kvm") and os.access("/dev/kvm", os.R_OK | os.W_OK))
    expect_complaint(usbx("doctor", "--xml"), 125, "--xml", "--json")
    with open("/dev/full", "w") as full:
        expect_complaint(usbx("doctor", capture_output=False, stdout=full, stderr=subprocess.PIPE), 125, "standard output")


def case_doctor_of_a_host_without_namespaces():
    """Where the person may make no namespaces (a limit of a user namespace around it), doctor says so, and how to get them."""
    script = "echo 0 >/proc/sys/user/max_user_namespaces && exec \"$@\""
    found = doctor("unshare", "-r", "sh", "-c", script, "sh")
    expect((found["runs"], found["checks"]["namespaces"]["ok"], found["checks"]["sandbox"]["ok"]), (False, False, False))
    assert "max_user_namespaces" in found["checks"]["namespaces"]["remedy"] and found["checks"]["sandbox"]["detail"].startswith("usbx: "), found
