"""The other end of the wire: servers for everything that an attack may want to reach, in a network namespace.

    peer.py ADDRESS PUBLIC DIRECTORY

Whatever arrives is a line of JSON on standard output: questions to the DNS, requests, datagrams, connections, and each frame
that is not an answer of ours as what it is. DIRECTORY has cert.pem and key.pem.
"""
import http.server
import json
import socket
import ssl
import struct
import sys
import threading

ADDRESS, PUBLIC, DIRECTORY = sys.argv[1:4]
ETH_P_ALL = 3
NAMES = {"good.test": [PUBLIC], "bad.test": [PUBLIC], "rebind.test": [ADDRESS, "169.254.169.254"], "half.test": [ADDRESS, PUBLIC],
         "a.wild.test": [PUBLIC], "private.test": [ADDRESS]}
lock = threading.Lock()


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def answer(query, tcp):
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
        at += query[at] + 1
    name, kind = ".".join(labels).lower(), struct.unpack(">H", query[at + 1:at + 3])[0]
    say(saw="dns", name=name, type=kind, tcp=tcp)
    addresses = NAMES.get(name, []) if kind == 1 else []
    records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(a) for a in addresses)
    code = 0 if name in NAMES else 3
    return query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(addresses), 0, 0) + query[12:at + 5] + records


def serve_dns():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 53))
    while True:
        query, who = sock.recvfrom(4096)
        sock.sendto(answer(query, False), who)


def serve_datagrams():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 7777))
    while True:
        data, who = sock.recvfrom(65536)
        say(saw="datagram", size=len(data))
        sock.sendto(data[:100], who)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        say(saw="request", host=self.headers.get("Host"), path=self.path, port=self.server.server_port)
        body = b"hello\n"
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *unused):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *unused):  # connections that are reset are what this is about
        pass


def serve_http(port, secure):
    server = Server(("", port), Handler)
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{DIRECTORY}/cert.pem", f"{DIRECTORY}/key.pem")
        context.sni_callback = lambda sock, name, ctx: say(saw="sni", name=name)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


def describe(frame):
    kind = struct.unpack(">H", frame[12:14])[0]
    if kind == 0x806:
        return {"saw": "arp", "sender": socket.inet_ntoa(frame[28:32]), "asked": socket.inet_ntoa(frame[38:42]), "hardware": frame[22:28].hex()}
    if kind != 0x800:
        return {"saw": "frame", "type": kind, "source": frame[6:12].hex()}
    head = (frame[14] & 15) * 4
    what = {"saw": "packet", "source": socket.inet_ntoa(frame[26:30]), "target": socket.inet_ntoa(frame[30:34]),
            "protocol": frame[23], "options": head - 20, "fragment": struct.unpack(">H", frame[20:22])[0] & 0x3fff}
    if frame[23] in (6, 17) and len(frame) >= 18 + head:
        what["port"] = struct.unpack(">H", frame[14 + head + 2:14 + head + 4])[0]
    return what


def watch():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    while True:
        frame, address = sock.recvfrom(65536)
        if address[2] != socket.PACKET_OUTGOING and address[0] != "lo":
            say(**describe(frame))


threading.Thread(target=watch, daemon=True).start()
threading.Thread(target=serve_dns, daemon=True).start()
threading.Thread(target=serve_datagrams, daemon=True).start()
for port, secure in ((80, False), (8000, False), (443, True), (8443, True)):
    threading.Thread(target=serve_http, args=(port, secure), daemon=True).start()
say(saw="ready")
for line in sys.stdin:  # commands: connect ADDRESS PORT; send ADDRESS PORT
    what, address, port = line.split()
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if what == "connect" else socket.SOCK_DGRAM)
    sock.settimeout(1.5)
    try:
        sock.connect((address, int(port)))
        sock.send(b"x")
        say(saw="reached" if what == "connect" or sock.recv(10) else "nothing")
    except OSError as error:
        say(saw="unreachable", error=error.errno or 0)
    sock.close()
