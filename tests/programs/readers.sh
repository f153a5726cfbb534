# what asks for the machine: psutil, lsof, ss, lscpu, df, free, htop, nproc, Node, Go, Java about memory and processors
# needs: python3 lsof ss lscpu df free nproc
python3 - <<'P'
import os, sys
try:
    import psutil
except ImportError:
    sys.exit("psutil not installed")
import subprocess
child = subprocess.Popen(["sleep", "30"])
p, me = psutil.Process(child.pid), psutil.Process()
import time; time.sleep(0.3)
print(p.name(), p.cmdline(), p.status(), p.ppid() == os.getpid(), p.username() == me.username(), p.exe(), p.cwd() == os.getcwd(), p.num_threads(), p.terminal(), p.nice(), p.is_running())
print(p.uids().real, p.gids().effective, len(p.memory_maps()) > 3, p.memory_info().rss > 0, p.memory_full_info().uss > 0, p.num_fds(), p.io_counters()._fields, p.cpu_times()._fields, p.cpu_percent(0.1) < 50, p.environ()["HOME"], p.ionice().ioclass.name, p.rlimit(psutil.RLIMIT_NOFILE)[0] > 0, p.num_ctx_switches().voluntary >= 0, p.cpu_affinity() == list(range(psutil.cpu_count())))
f = open("opened", "w"); print([os.path.basename(o.path) for o in me.open_files() if o.path.endswith("opened")], [c.name() for c in me.children()], me.connections())
print(psutil.cpu_count() == os.cpu_count(), psutil.virtual_memory().total > psutil.virtual_memory().available > 0, psutil.swap_memory().total >= 0, psutil.cpu_times().user >= 0, len(psutil.cpu_times(percpu=True)) == os.cpu_count(), psutil.boot_time() <= time.time(), len(psutil.getloadavg()), psutil.disk_usage("/").total > 0, "lo" in psutil.net_if_addrs(), psutil.net_if_stats()["lo"].isup, psutil.net_io_counters() is not None, psutil.pid_exists(child.pid), child.pid in psutil.pids(), psutil.cpu_freq() is None or True, psutil.cpu_stats()._fields, psutil.users() is not None, len(psutil.disk_partitions(all=True)) > 3, psutil.sensors_battery() is None, isinstance(psutil.disk_io_counters(perdisk=True), dict))
child.terminate(); print(child.wait(), psutil.pid_exists(child.pid))
P
exec 7< readers.sh; lsof -p $$ 2>/dev/null | awk 'NR == 1 {print $1, $2, $4} $4 == "7r" {print $5, $NF ~ /readers.sh/} $4 == "cwd" {print $5}'; lsof -t readers.sh | wc -l; lsof +D . 2>/dev/null | wc -l | grep -c .; exec 7<&-
ss -tlnH | wc -l | sed 's/[0-9]*/number/'; ss -xlnH > out 2>&1; echo "ss $?"; ss -s | grep -c Total; python3 -c 'import socket, subprocess
s = socket.socket(); s.bind(("127.0.0.1", 45678)); s.listen()
print(subprocess.run(["ss", "-tlnH", "sport", "=", ":45678"], capture_output=True, text=True).stdout.split()[:1])
c = socket.create_connection(("127.0.0.1", 45678)); print(len(subprocess.run(["ss", "-tnH", "dport", "=", ":45678"], capture_output=True, text=True).stdout.splitlines()))
u = socket.socket(socket.AF_UNIX); u.bind("named"); u.listen(); print("named" in subprocess.run(["ss", "-xlH"], capture_output=True, text=True).stdout)'
lscpu > out; echo "lscpu $?"; awk -F: '{ print $1 }' out | grep -E '^(Architecture|CPU op-mode|Byte Order|CPU\(s\)|Vendor ID|Model name|Thread|Core|Socket)'; lscpu -e=CPU,ONLINE | tail -n +2 | awk '{ print $2 }' | sort -u; lscpu -J | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["lscpu"]) > 5)'
df -h . | awk 'NR == 2 { print NF }'; df -i . | awk 'NR == 2 { print NF }'; df -T /tmp | awk 'NR == 2 { print NF }'; df --total | tail -1 | awk '{ print $1 }'; free -h | awk '{ print $1, NF }'; free -w | awk 'NR == 1 { print }'; nproc --all > out; echo $?; htop --version | head -1; getconf _NPROCESSORS_ONLN | grep -c .; getconf PAGESIZE; uptime | grep -c 'load average'; cat /proc/loadavg | awk '{ print NF }'; cat /sys/fs/cgroup/memory.max /sys/devices/system/cpu/online > /dev/null 2>&1; ls /sys/class/net | grep -c lo; ls -d /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx /dev/pts /dev/shm /dev/fd /dev/stdin
command -v node > /dev/null && node -p 'const os = require("os"); [os.cpus().length > 0, os.totalmem() > os.freemem(), os.loadavg().length, Object.keys(os.networkInterfaces()).includes("lo"), os.release().length > 0, os.endianness(), process.constrainedMemory() >= 0].join()'
