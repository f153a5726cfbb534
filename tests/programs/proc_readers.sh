# What reads /proc and /sys: ps, top, free, uptime, lscpu, nproc, df, findmnt, pgrep, pmap, ipcs, lsns; only what does not depend on the machine.
# needs: ps top free lscpu nproc df findmnt pgrep pmap ipcs vmstat
sleep 30 & s=$!
sleep 0.2
ps -o stat=,comm= -p $s; ps -o comm= --ppid $$ | sort -u | grep sleep; ps -o pid=,ppid=,pgid=,sid= -p $s | awk -v s=$s -v p=$$ '{print $1 == s, $2 == p, NF}'
ps aux | awk 'NR == 1 {print NF, $1, $11} $11 == "sleep" {print "found", NF >= 11}'
ps -eLo pid,lwp,nlwp,comm | awk -v s=$s '$1 == s {print $3, $4}'
pgrep -P $$ -x sleep | grep -c $s; pidof sleep | tr ' ' '\n' | grep -cx $s
top -b -n1 -p $s | awk '/^%Cpu/ {print "cpu"} /^MiB Mem/ {print "mem"} $1 == '$s' {print NF, $NF}'
free | awk '/^Mem:/ {print NF, $2 > 0 && $3 + $4 <= $2 * 1.01} /^Swap:/ {print NF}'
vmstat | awk 'NR == 3 {print NF >= 17}'
uptime -p | cut -c1-2; w -h | wc -l | grep -c .
[ "$(nproc)" = "$(lscpu -p=CPU | grep -vc '#')" ] && [ "$(nproc)" = "$(grep -c ^processor /proc/cpuinfo)" ] && echo "processors agree"
lscpu | awk -F: '/^Architecture|^Byte Order|^On-line/ {print $1}'; lscpu -C=NAME,LEVEL,TYPE | head -1
df --output=target / /tmp /proc | awk 'NR > 1' | wc -l; df -P . | awk 'NR == 2 {print NF, $2 > 0}'
findmnt -n -o FSTYPE /proc; findmnt -n -o TARGET --target /proc/self
pmap $s | tail -1 | awk '{print $1}'; pmap -x $s | awk '/total kB/ {print NF}'
ipcs -a | grep -c ---; ipcs -l | grep -c .
cat /proc/$s/comm; tr '\0' ' ' < /proc/$s/cmdline; echo; readlink /proc/$s/exe; readlink /proc/$s/fd/0; cat /proc/$s/oom_score_adj
awk '{print NF}' /proc/$s/stat; awk '{print NF}' /proc/$s/statm; awk 'NF < 5 {bad++} END {print bad + 0}' /proc/$s/maps; grep -c . /proc/$s/limits
kill $s; wait $s 2>/dev/null; echo $?
