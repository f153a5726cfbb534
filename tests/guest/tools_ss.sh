#!/bin/bash
# ss(8) asks the kernel which sockets there are; ip(8) about links. In a network of its own, so that nobody else's are shown.
command -v ss >/dev/null || { echo "skip: no ss"; exit 77; }
work='
ip link set lo up
python3 -c "
import socket, subprocess
listener = socket.socket(); listener.bind((\"127.0.0.1\", 8001)); listener.listen(7)
client = socket.create_connection((\"127.0.0.1\", 8001)); peer, _ = listener.accept()
peer.send(b\"twelve bytes\")
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); datagrams.bind((\"127.0.0.1\", 8002))
six = socket.socket(socket.AF_INET6); six.bind((\"::1\", 8003)); six.listen(3)
def show(*what):
    lines = subprocess.run([\"ss\", \"-Hn\", *what], capture_output=True, text=True)
    port = str(client.getsockname()[1])
    for line in sorted(lines.stdout.splitlines()):
        print(*what, \" \".join(line.replace(port, \"PORT\").split()))
    print(lines.stderr, end=\"\")
show(\"-tl\"); show(\"-t\"); show(\"-ul\"); show(\"-ta\", \"-6\"); show(\"-t\", \"state\", \"established\"); show(\"-wa\")
"
ip -o link show lo | grep -o "mtu.*state [A-Z]*"
ip -o addr show lo | sed "s/\\\\.*//"
ip route get 127.0.0.5 | sed "s/ uid [0-9]*//"
'
if unshare -n true 2>/dev/null; then
	unshare -n sh -c "$work"
else # a sandbox has one of its own
	sh -c "$work"
fi
