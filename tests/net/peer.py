"""Both ends of the cases in tests/net/run, inside of a sandbox and outside: echoing servers, and clients that check them.

    peer.py serve PORT              TCP and UDP, both families; prints "ready"
    peer.py tcp HOST PORT BYTES     sends so many bytes while it reads them back, compares
    peer.py udp HOST PORT SIZE...   a datagram of each size, there and back
    peer.py refused HOST PORT       says how a connection fails
"""
import random
import socket
import sys
import threading

LIMIT_S = 20


def echo(connection):
    with connection:
        while data := connection.recv(1 << 16):
            connection.sendall(data)


def serve(port):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    datagrams.bind(("::", port))

    def answer():
        while True:
            datagrams.sendto(*datagrams.recvfrom(1 << 16))

    threading.Thread(target=answer, daemon=True).start()
    print("ready", flush=True)
    while True:
        threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def tcp(host, port, size):
    data = random.Random(size).randbytes(size)
    with socket.create_connection((host, port), timeout=LIMIT_S) as connection:
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        back = bytearray()
        while len(back) < size and (part := connection.recv(1 << 16)):
            back += part
        sender.join()
        connection.shutdown(socket.SHUT_WR)
        back += connection.recv(1 << 16)
    print("same" if back == data else f"{len(back)} bytes came back")


def udp(host, port, *sizes):
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    for size in sizes:
        data = random.Random(size).randbytes(size)
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            for _ in range(5):      # the first fragments of a new neighbour may be more than wait for it
                sock.settimeout(2)
                sock.sendto(data, address)
                try:
                    print(size, "same" if sock.recv(1 << 16) == data else "changed")
                    break
                except TimeoutError:
                    continue


def refused(host, port):
    try:
        socket.create_connection((host, port), timeout=3).close()
        print("connected")
    except OSError as error:
        print(type(error).__name__)


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    {"serve": serve, "tcp": tcp, "udp": udp, "refused": refused}[command](*(int(w) if w.isdigit() else w for w in words))
