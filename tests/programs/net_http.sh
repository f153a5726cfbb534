# HTTP over the loopback: curl (1.1, 2, TLS, IPv6), nginx with wrk and h2load, python's http.server, urllib and asyncio, node's fetch, git over http
# needs: nginx curl wrk h2load openssl python3 node git ip
# seconds: 240
. lib/network.bash
openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
cat > n.conf <<X
daemon off; worker_processes 2; pid $PWD/n.pid; error_log $PWD/e.log;
events { worker_connections 256; }
http { access_log off; client_body_temp_path $PWD/b; proxy_temp_path $PWD/p; fastcgi_temp_path $PWD/f; uwsgi_temp_path $PWD/u; scgi_temp_path $PWD/sc;
server { listen 8080; listen [::]:8080; listen 8443 ssl http2; ssl_certificate $PWD/c.pem; ssl_certificate_key $PWD/k.pem; root $PWD/root; location /py/ { proxy_pass http://127.0.0.1:8000/; } } }
X
mkdir root && head -c 3000000 /dev/urandom > root/big && echo hello > root/index.html
[ $(id -u) = 0 ] && chmod 755 . root && chmod 644 root/*
nginx -c $PWD/n.conf 2>/dev/null & nginx=$!
python3 -m http.server -b 127.0.0.1 -d root 8000 2>/dev/null & server=$!
await 8080; await 8000
for url in http://127.0.0.1:8080/ 'http://[::1]:8080/' http://127.0.0.1:8080/py/ https://127.0.0.1:8443/; do curl -sg --cacert c.pem -w '%{http_version} %{http_code}\n' "$url"; done
curl -s http://127.0.0.1:8080/none -o /dev/null -w '%{http_code}\n'; curl -s -r 5-9 http://127.0.0.1:8080/big | cmp - <(tail -c +6 root/big | head -c 5) && echo a range
for url in http://127.0.0.1:8080/big https://127.0.0.1:8443/big http://127.0.0.1:8080/py/big; do curl -s --cacert c.pem $url | cmp - root/big && echo the same; done
curl -s --max-time 5 http://127.0.0.1:9/ ; echo "refused: $?"
wrk -t2 -c64 -d2 http://127.0.0.1:8080/ | grep -E 'Socket errors|Non-2xx'; echo "wrk $?"
h2load -n 500 -c 4 -m 10 https://127.0.0.1:8443/ | grep -E '^(requests|status codes):'
python3 - <<'X'
import asyncio, urllib.request, urllib.error
print(urllib.request.urlopen("http://127.0.0.1:8080/").read(), urllib.request.urlopen("http://127.0.0.1:8000/big").length)
try: urllib.request.urlopen("http://127.0.0.1:9/")
except urllib.error.URLError as error: print(error.reason)
async def main():
    async def answer(reader, writer): writer.write((await reader.readline()).upper()); await writer.drain(); writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async def ask(i):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()); writer.write(b"line %d\n" % i); line = await reader.readline(); writer.close(); return line
    print(sorted(await asyncio.gather(*(ask(i) for i in range(100))))[::25])
asyncio.run(main())
X
node -e 'const h=require("http");const s=h.createServer((q,r)=>r.end("node "+q.url)).listen(0,"127.0.0.1",async()=>{const p=s.address().port;const all=await Promise.all([...Array(50).keys()].map(i=>fetch(`http://127.0.0.1:${p}/${i}`).then(a=>a.text())));console.log(all.length,all[0],all[49]);h.get({port:p,host:"127.0.0.1",path:"/get"},r=>{r.on("data",d=>console.log(""+d));r.on("end",()=>{s.close();s.closeAllConnections()})})})'
git init -q --bare root/r.git; git init -q w; (cd w; git config user.email a@b; git config user.name n; for i in 1 2 3; do echo $i > f$i; git add .; git commit -qm $i; done; git push -q ../root/r.git HEAD:main); git -C root/r.git update-server-info
git clone -q -b main http://127.0.0.1:8000/r.git c && ls c && git -C c log --format=%s
kill $server; kill -QUIT $nginx; wait $nginx; echo "nginx $?"
