#!/usr/bin/python3
"""MSG_PEEK on TCP sockets: with SO_PEEK_OFF, and at the mark of urgent data, where nobody may wait for ever."""
import fcntl
import socket
import struct
import termios
import time

PEEK_OFF = 42


def pair(family, address):
    listener = socket.socket(family)
    listener.bind((address, 0))
    listener.listen()
    client = socket.create_connection(listener.getsockname()[:2])
    return client, listener.accept()[0], listener


def arrived(sock):
    return struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, b"1234"))[0]


class Case:
    def __init__(self, family, address):
        self.client, self.server, self.listener = pair(family, address)

    def send(self, data):
        wanted = arrived(self.server) + len(data)
        self.client.sendall(data)
        while arrived(self.server) < wanted:
            time.sleep(0.001)

    def offset(self, value):
        self.server.setsockopt(socket.SOL_SOCKET, PEEK_OFF, value)
        print("offset", self.server.getsockopt(socket.SOL_SOCKET, PEEK_OFF))

    def show(self, what, size, flags):
        try:
            result = self.server.recv(size, flags)
        except OSError as error:
            result = error.strerror
        print(what, size, result, self.server.getsockopt(socket.SOL_SOCKET, PEEK_OFF))

    def peek(self, size, flags=socket.MSG_DONTWAIT):
        self.show("peek", size, socket.MSG_PEEK | flags)

    def take(self, size):
        self.show("take", size, socket.MSG_DONTWAIT)


def offsets(family, address):
    case = Case(family, address)
    print(case.server.getsockopt(socket.SOL_SOCKET, PEEK_OFF), case.listener.getsockopt(socket.SOL_SOCKET, PEEK_OFF))
    case.offset(0)
    case.send(b"abcdefghij")
    case.peek(3)
    case.peek(3, 0)
    case.take(2)
    for size in (3, 10, 10):
        case.peek(size)
    case.take(5)
    case.peek(10)
    case.send(b"klm")
    case.peek(10)
    case.take(100)
    case.peek(10)
    case.offset(5)
    case.send(b"0123456789")
    case.peek(2)
    case.take(2)
    case.offset(-1)
    case.peek(2)
    case.take(2)
    case.offset(0)
    case.peek(4, socket.MSG_WAITALL)
    case.client.close()
    case.offset(50)
    case.peek(2, 0)
    case.offset(0)
    for _ in range(2):
        case.peek(20, 0)
    case.take(100)
    case.peek(20, 0)
    case.offset(-7)


def urgent(inline):
    case = Case(socket.AF_INET, "127.0.0.1")
    case.server.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, inline)
    case.send(b"ab")
    case.client.send(b"X", socket.MSG_OOB)
    case.client.sendall(b"cd")
    case.client.shutdown(socket.SHUT_WR)
    time.sleep(0.1)
    case.peek(10)
    case.peek(1)
    case.take(2)
    case.peek(10)
    case.peek(10, 0)
    case.peek(1, 0)
    case.take(10)
    case.take(10)


for kind in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    offsets(*kind)
urgent(0)
urgent(1)
