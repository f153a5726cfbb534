#!/usr/bin/python3
"""Honest frames for frame.c to begin with: frame_seeds.py FOLDER"""
import pathlib
import socket
import struct
import sys

NEAR, FAR = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
NEAR4, FAR4 = socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2")
NEAR6, FAR6 = socket.inet_pton(socket.AF_INET6, "fd00::1"), socket.inet_pton(socket.AF_INET6, "fd00::2")
PORT = 7777


def ether(type, payload, target=NEAR):
    return target + FAR + struct.pack("!H", type) + payload


def ip4(protocol, body, fragment=0, options=b""):
    return ether(0x800, struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(body), 7, fragment, 64, protocol, 0, FAR4, NEAR4) + options + body)


def ip6(protocol, body, hops=255, target=NEAR6, source=FAR6):
    return ether(0x86dd, struct.pack("!IHBB16s16s", 6 << 28, len(body), protocol, hops, source, target) + body)


def tcp(flags, sequence=1000, ack=0, body=b"", options=b""):
    return struct.pack("!HHIIBBHHH", 4000, PORT, sequence, ack, (5 + len(options) // 4) << 4, flags, 60000, 0, 0) + options + body


def udp(body):
    return struct.pack("!HHHH", 4001, PORT, 8 + len(body), 0) + body


def icmp(type, code, rest, body=b""):
    return struct.pack("!BBHI", type, code, 0, rest) + body


SYN = tcp(2, options=bytes.fromhex("020405b40402080a00000001000000000103030a"[:40]))
ROWS = {
    "arp": [ether(0x806, struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, op, FAR, FAR4, NEAR, NEAR4)) for op in (1, 2)],
    "echo": [ip4(1, icmp(8, 0, 0x10001, b"x" * 30)), ip6(58, icmp(128, 0, 0x10001, b"x" * 30))],
    "neighbours": [ip6(58, icmp(t, 0, 0x60000000, NEAR6 + b"\1\1" + FAR)) for t in (135, 136, 134, 133, 137, 130)],
    "routers": [ip6(58, icmp(134, 0, 0x40000000 + life, struct.pack("!IIBBBBIII16s", 0, 0, 3, 4, 64, 0xc0, life, life, 0, socket.inet_pton(10, net))
                                  + struct.pack("!BBHI", 5, 1, 0, 1400)), target=socket.inet_pton(10, "ff02::1"), source=socket.inet_pton(10, "fe80::1"))
                for life, net in ((3, "2001:db8:1::"), (600, "2001:db8:2::"), (0, "2001:db8:2::"))],
    "tcp4": [ip4(6, SYN), ip4(6, tcp(16, 1001, 1, b"data")), ip4(6, tcp(17, 1005, 1)), ip4(6, tcp(4, 1001))],
    "tcp6": [ip6(6, SYN), ip6(6, tcp(16, 1001, 1, b"data"))],
    "udp": [ip4(17, udp(b"hello")), ip6(17, udp(b"hello"))],
    "pieces4": [ip4(17, udp(b"x" * 56)[:64], 0x2000), ip4(17, b"y" * 20, 8)],
    "pieces6": [ip6(44, struct.pack("!BBHI", 17, 0, 1, 9) + udp(b"x" * 56)), ip6(44, struct.pack("!BBHI", 17, 0, 64, 9) + b"y" * 20)],
    "options": [ip4(17, udp(b"o"), options=b"\x83\x07\x04" + NEAR4 + b"\0"), ip4(17, udp(b"o"), options=b"\x94\x04\0\0")],
    "extensions": [ip6(0, b"\x3c\0\5\2\0\0\1\0" + b"\x11\0\1\4\0\0\0\0" + udp(b"e"))],
    "reports": [ip4(1, icmp(3, c, 600, ip4(17, udp(b"q"))[14:])) for c in (1, 3, 4)] + [ip6(58, icmp(t, 0, 1300, ip6(6, SYN)[14:])) for t in (1, 2, 3, 4)],
    "groups": [ip4(2, struct.pack("!BBH4sBBH", 0x11, 10, 0, b"\0" * 4, 2, 20, 0))],
}

for name, frames in ROWS.items():
    data = b"".join(struct.pack("!HBB", len(frame), 7, 1) + frame for frame in frames)
    (pathlib.Path(sys.argv[1]) / name).write_bytes(data)
