# openssh both ways over the loopback: commands, scp, sftp, a tunnel, git over ssh and over git://
# needs: ssh ssh-keygen sftp scp git ip
# seconds: 180
. lib/network.bash
[ -x /usr/sbin/sshd ] || { echo no sshd; exit 1; }
mkdir -p /run/sshd /root; ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f id; cp id.pub auth
printf '%s\n' 'Port 2222' 'ListenAddress 127.0.0.1' 'ListenAddress ::1' "HostKey $PWD/host" "AuthorizedKeysFile $PWD/auth" "PidFile $PWD/pid" 'StrictModes no' 'UsePAM no' 'PermitRootLogin yes' 'Subsystem sftp /usr/lib/openssh/sftp-server' > conf
/usr/sbin/sshd -D -e -f $PWD/conf 2>log & sshd=$!; await 2222
o="-i id -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
timeout 20 ssh $o -p 2222 root@127.0.0.1 'echo hello; id -un; exit 3'; echo "status $?"
timeout 20 ssh $o -p 2222 root@::1 cat < id.pub | cmp - id.pub && echo IPv6
head -c 2000000 /dev/urandom > big; timeout 30 scp -q $o -P 2222 big root@127.0.0.1:$PWD/big2 && cmp big big2 && echo scp
printf "put big $PWD/big3\nls -1 $PWD/big3\n" | timeout 30 sftp -q $o -P 2222 root@127.0.0.1 2>&1 | sed "s,$PWD/,,g"; cmp big big3 && echo sftp
timeout 20 ssh $o -p 2222 -N -L 7777:127.0.0.1:2222 root@127.0.0.1 & tunnel=$!; await 7777
timeout 20 ssh $o -p 7777 root@127.0.0.1 'echo through the tunnel'; kill $tunnel; wait $tunnel 2>/dev/null
git init -q --bare r.git; git init -q w; cd w; git config user.email a@b; git config user.name n; echo a > a; git add a; git commit -qm one
export GIT_SSH_COMMAND="ssh ${o/-i id/-i $PWD/../id} -p 2222"
timeout 30 git push -q root@127.0.0.1:${PWD%/w}/r.git HEAD:main; cd ..; timeout 30 git clone -q -b main root@127.0.0.1:$PWD/r.git c1 && ls c1
git daemon --export-all --base-path=$PWD --port=9418 --listen=127.0.0.1 & daemon=$!; await 9418
timeout 20 git clone -q -b main git://127.0.0.1/r.git c2 && ls c2
kill $sshd $daemon; wait $sshd; echo "sshd $?"
