#!/usr/bin/python3
"""Requests that ip(8), ss(8) and getifaddrs(3) make, for the fuzz target netlink: tests/fuzz/netlink_seeds.py FOLDER"""
import pathlib
import struct
import sys

DUMP, ACK = 0x301, 5
RTM_NEWLINK, RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH, RTM_GETRULE, SOCK_DIAG = 16, 18, 22, 26, 30, 34, 20


def message(kind, flags, body):
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


SEEDS = {
    "links": b"\1" + message(RTM_GETLINK, DUMP, bytes(16)),
    "link": b"\1" + message(RTM_GETLINK, ACK, bytes(16) + attribute(3, b"lo\0")),
    "up": b"\1" + message(RTM_NEWLINK, ACK, struct.pack("=BBHiII", 0, 0, 0, 1, 1, 1)),
    "addresses": b"\1" + message(RTM_GETADDR, DUMP, bytes(8)),
    "routes": b"\1" + message(RTM_GETROUTE, DUMP, bytes(12)),
    "route": b"\1" + message(RTM_GETROUTE, ACK, b"\2\x20" + bytes(10) + attribute(1, b"\x7f\0\0\1")),
    "neighbours": b"\1" + message(RTM_GETNEIGH, DUMP, bytes(12)) + message(RTM_GETRULE, DUMP, bytes(12)),
    "sockets": b"\0" + message(SOCK_DIAG, DUMP, b"\2\6\0\0" + b"\xff" * 4 + bytes(48)),
    "sockets6": b"\0" + message(SOCK_DIAG, DUMP, b"\12\x11\0\0" + b"\xff" * 4 + bytes(48)),
}

for name, seed in SEEDS.items():
    (pathlib.Path(sys.argv[1]) / name).write_bytes(seed)
