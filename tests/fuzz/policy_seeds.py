"""Inputs to begin with for dns.c, sniff.c and policy.c: policy_seeds.py DIRECTORY"""
import pathlib
import ssl
import struct
import sys

base = pathlib.Path(sys.argv[1])
name = b"\1a\7example\0"
question = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 1) + name + b"\0\1\0\1" + b"\0\0\x29\4\xd0\0\0\0\0\0\0"
alias = name + struct.pack(">HHIH", 5, 1, 60, 11) + b"\1b\7example\0"
address = b"\1b\7example\0" + struct.pack(">HHIH", 1, 1, 60, 4) + b"\1\2\3\4"
(base / "dns" / "question").write_bytes(question)
(base / "dns" / "answer").write_bytes(struct.pack(">HHHHHH", 7, 0x8180, 1, 2, 0, 0) + name + b"\0\1\0\1" + alias + address)
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="a.example")
try:
    client.do_handshake()
except ssl.SSLWantReadError:
    pass
hello = outgoing.read()
(base / "sniff" / "hello").write_bytes(b"\0\7" + hello)
(base / "sniff" / "hellos").write_bytes(b"\0\7" + hello + b"\x14\3\3\0\1\1" + hello)
(base / "sniff" / "requests").write_bytes(b"\1\7GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
                                          b"POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
(base / "sniff" / "other").write_bytes(b"\2\7SSH-2.0-x\r\n")
(base / "policy" / "file").write_text("allow: [a.example:443, '*.b.example', 10.0.0.0/8:1-5/udp, '[2001:db8::]/32', public]\n"
                                      "deny:\n- 10.1.0.0/16\nlisten: [80, 1-2/udp]\nlimits: {up: 1M, connections: 5}\n")
(base / "policy" / "rule").write_text("[2001:db8::]/32:5-9/udp")
