"""What scripts need that no package installs: source trees of Debian, and root file systems. Made once, in a cache outside
the repository: USBX_PROGRAMS_CACHE, or /var/cache/usbx-programs for root, ~/.cache/usbx-programs for others.

apt works on lists and a configuration of its own there: the machine's sources.list stays as it is.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

DEFAULT = "/var/cache/usbx-programs" if os.getuid() == 0 else os.path.expanduser("~/.cache/usbx-programs")
CACHE = pathlib.Path(os.environ.get("USBX_PROGRAMS_CACHE", DEFAULT))
MIRROR = os.environ.get("USBX_PROGRAMS_MIRROR", "http://deb.debian.org/debian")
SUITE = "bookworm"
LIMIT_S = 900


class Missing(Exception):
    """Why a script cannot run here."""


def command(*words, cwd=None, env=None):
    """Runs one command quietly; its last line is the reason when it fails."""
    if not shutil.which(words[0]):
        raise Missing(f"{words[0]} not installed")
    result = subprocess.run(words, cwd=cwd, env=dict(os.environ, **env or {}), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S, check=False)
    if result.returncode:
        raise Missing(f"{' '.join(words[:2])}: {(result.stdout.strip().splitlines() or ['failed'])[-1]}")


def apt_environment():
    state = CACHE / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "sources.list").write_text(f"deb-src {MIRROR} {SUITE} main\n")
    (state / "apt.conf").write_text(f'Dir::Etc::sourcelist "{state}/sources.list";\nDir::Etc::sourceparts "-";\n'
                                    f'Dir::State::lists "{state}/lists";\nDir::Cache "{state}/cache";\n'
                                    'APT::Sandbox::User "root";\n')
    return {"APT_CONFIG": str(state / "apt.conf")}


def source(package):
    """The unpacked source tree of a Debian source package: CACHE/PACKAGE."""
    tree = CACHE / package
    if tree.exists():
        return
    environment = apt_environment()
    if not any((CACHE / "apt" / "lists").glob("*Sources*")):
        command("apt-get", "update", env=environment)
    unpacking = CACHE / f"{package}.part"
    shutil.rmtree(unpacking, ignore_errors=True)
    unpacking.mkdir(parents=True)
    command("apt-get", "source", "-q", package, cwd=unpacking, env=environment)
    trees = [path for path in unpacking.iterdir() if path.is_dir()]
    if len(trees) != 1:
        raise Missing(f"apt-get source {package}: one tree expected, {len(trees)} found")
    command("chmod", "-R", "a+rX", str(trees[0]))
    trees[0].rename(tree)
    shutil.rmtree(unpacking)


def make_debian(tree):
    command("debootstrap", "--variant=minbase", SUITE, str(tree), MIRROR)


MUSL_LIBRARY = pathlib.Path("/usr/lib/x86_64-linux-musl/libc.so")
# The kernel's headers, which musl-gcc hides together with glibc's.
KERNEL_HEADERS = {"linux": "/usr/include/linux", "asm-generic": "/usr/include/asm-generic", "mtd": "/usr/include/mtd",
                  "asm": "/usr/include/x86_64-linux-gnu/asm"}
NEEDS_RPC = ("FEATURE_MOUNT_NFS", "FEATURE_INETD_RPC")


def build_busybox(place):
    """Debian's busybox for musl, with all its applets: PLACE/busybox, dynamically linked as Alpine's."""
    source("busybox")
    headers = place / "headers"
    headers.mkdir()
    for name, target in KERNEL_HEADERS.items():
        (headers / name).symlink_to(target)
    build = place / "build"
    shutil.copytree(CACHE / "busybox", build, symlinks=True)
    command("make", "defconfig", cwd=build)
    config = (build / ".config").read_text()
    for name in NEEDS_RPC:
        config = config.replace(f"CONFIG_{name}=y", f"# CONFIG_{name} is not set")
    (build / ".config").write_text(config)
    command("make", f"-j{os.cpu_count()}", "CC=musl-gcc", "HOSTCC=gcc", f"CFLAGS=-idirafter {headers}", "busybox", cwd=build)
    shutil.copy(build / "busybox", place / "busybox")


def make_musl(tree):
    """What Alpine looks like: one busybox and musl's loader, its names as links, the files that its shell and login expect."""
    if not MUSL_LIBRARY.exists():
        raise Missing("musl-gcc not installed")
    for folder in ("bin", "sbin", "usr/bin", "usr/sbin", "etc", "tmp", "root", "home", "var", "run", "proc", "sys", "dev", "lib"):
        (tree / folder).mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as place:
        build_busybox(pathlib.Path(place))
        shutil.copy(pathlib.Path(place) / "busybox", tree / "bin" / "busybox")
    loader = tree / "lib" / "ld-musl-x86_64.so.1"
    shutil.copy(MUSL_LIBRARY, loader)
    loader.chmod(0o755)
    applets = subprocess.run([loader, tree / "bin" / "busybox", "--list-full"], capture_output=True, text=True, check=True)
    for applet in applets.stdout.split():
        link = tree / applet
        if not link.exists():
            link.symlink_to("/bin/busybox")
    (tree / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/ash\nguest:x:405:100:guest:/dev/null:/sbin/nologin\n")
    (tree / "etc" / "group").write_text("root:x:0:root\nusers:x:100:games\n")
    (tree / "etc" / "os-release").write_text('NAME="small"\nID=small\n')


ROOTS = {"debian": make_debian, "musl": make_musl}


def rootfs(name):
    """The tree of a root file system: CACHE/rootfs-NAME."""
    tree = CACHE / f"rootfs-{name}"
    if tree.exists():
        return tree
    making = CACHE / f"rootfs-{name}.part"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    ROOTS[name](making)
    making.chmod(0o755)
    making.rename(tree)
    return tree
