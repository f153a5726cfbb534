# ping, traceroute, tcpdump, dig against a small server, ip, ss, socat, iperf3 (TCP both ways, UDP, IPv6, -P 8), redis-benchmark over TCP
# needs: ping traceroute tcpdump dig ip ss socat iperf3 redis-server redis-benchmark redis-cli python3
# seconds: 240
. lib/network.bash
for target in 127.0.0.1 ::1 127.1.2.3; do ping -c 2 -i 0.1 $target | grep -E 'transmitted' | sed 's/, time.*//'; done; ping -c 1 -s 20000 127.0.0.1 | grep -c '20008 bytes'; ping -f -c 200 127.0.0.1 | grep -o '200 received'
for how in '' -I '-T -p 9'; do for target in 127.0.0.1 ::1; do traceroute $how -n -q 1 $target 2>&1 | tail -1 | awk '{ print $1, $2 }'; done; done
timeout 20 tcpdump -n -i lo -w icmp.cap -c 4 icmp 2>dump.log & dump=$!; for _ in $(seq 100); do grep -q listening dump.log && break; sleep 0.05; done
ping -c 2 -i 0.1 127.0.0.1 > /dev/null; wait $dump; head -2 dump.log | tail -1; tcpdump -n -t -r icmp.cap 2>/dev/null | sed 's/id [0-9]*/id N/'
cat > dns.py <<'X'
import socketserver, struct, threading
def answer(query):
    end = query.index(b"\0", 12) + 5; kind = struct.unpack(">H", query[end - 4:end - 2])[0]
    data = {1: bytes([10, 1, 2, 3]), 28: bytes(15) + b"\7", 16: b"\5hello"}.get(kind)
    head = query[:2] + struct.pack(">HHHHH", 0x8580, 1, 1 if data else 0, 0, 0)
    return head + query[12:end] + (b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data if data else b"")
class Udp(socketserver.BaseRequestHandler):
    def handle(self): self.request[1].sendto(answer(self.request[0]), self.client_address)
class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        head = self.rfile.read(2)
        if not head: return
        reply = answer(self.rfile.read(struct.unpack(">H", head)[0])); self.wfile.write(struct.pack(">H", len(reply)) + reply)
socketserver.TCPServer.allow_reuse_address = True
tcp = socketserver.TCPServer(("127.0.0.1", 5353), Tcp); threading.Thread(target=tcp.serve_forever, daemon=True).start()
socketserver.UDPServer(("127.0.0.1", 5353), Udp).serve_forever()
X
python3 dns.py & dns=$!; await 5353; for query in 'a.example A' 'a.example AAAA' 'a.example TXT' 'a.example A +tcp' 'a.example MX'; do dig @127.0.0.1 -p 5353 +short +noedns $query; done; dig @127.0.0.1 -p 5354 +tries=1 +timeout=1 a.example 2>&1 | grep -o 'connection refused' | head -1; kill $dns; wait $dns 2>/dev/null
ip -o addr show lo | awk '{ print $2, $3, $4 }'; ip -o link show lo | grep -o 'mtu [0-9]*'; ip route get 127.0.0.1 | head -1 | sed 's/ uid.*//; s/ *$//'; socat -u TCP-LISTEN:6000,reuseaddr - & socat=$!; await 6000; ss -Htln | awk '{ print $1, $4 }'; wait $socat
iperf3 -s -D -p 5300 --pidfile $PWD/pid; await 5300
for how in '127.0.0.1' '127.0.0.1 -R' ::1 '127.0.0.1 -P 8' '127.0.0.1 -u -b 20M' '::1 --bidir'; do timeout 30 iperf3 -c $how -p 5300 -t 1 > iperf.log 2>&1; echo "iperf3 $how: $?, $(grep -c receiver iperf.log) ends"; done; kill $(tr -d '\0' < pid)
redis-server --port 6390 --save '' --dir $PWD --logfile log & redis=$!; await 6390; redis-benchmark -p 6390 -n 5000 -q -t set,get | tr '\r' '\n' | grep -a 'per second' | cut -d: -f1; redis-cli -p 6390 shutdown nosave; wait $redis; echo "redis $?"
