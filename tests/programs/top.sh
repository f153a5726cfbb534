# top and htop driven by keys: columns, sorting, a kill by number, a filter, help; top -b
# needs: tmux top htop
# where: host
. lib/terminal.bash
labels() { screen | sed -E 's/[0-9][0-9.,:]*[a-zA-Z]?//g; s/ +/ /g; s/^ //; s/ $//'; }
$RUN sh -c 'sleep 77 & top -b -n2 -d 0.2 -w 120 -p $! | sed "s/^ *//; s/[0-9][0-9.]*//g; s/ \+/ /g" | grep -E "^(Tasks|%Cpu|MiB|PID|root.*sleep)"; kill $!'
start "$RUN sh -c 'sleep 4321 & exec top -d 0.3 -p \$!'"
shows 'sleep'; labels | sed -n '3,7p' | sed 's/, *//g' | cut -c1-30; text c; shows 'sleep 4321'; pid=$(screen | awk '/sleep 4321/ {print $1; exit}'); text 1; shows '%Cpu0'; labels | grep -c '%Cpu'; text 1; text h; shows 'Help for Interactive Commands'; screen | sed -n '4,20p'; keys q; shows 'sleep 4321'
text k; shows 'PID to signal/kill'; text "$pid"; keys Enter; shows 'Send pid'; screen | grep -o 'Send pid.*signal'| sed 's/[0-9]* sig/sig/'; keys Enter; gone 'sleep 4321'; echo killed; text V; text q; shows '^ended with'; screen | tail -1
start "$RUN sh -c 'sleep 4322 & HOME=/nonexistent exec htop -d 3 --no-color'"
shows 'F1Help'; screen | tail -1 | grep -o 'F[0-9]*[A-Za-z+ -]*' | head -4; labels | grep -oE '^(Tasks|Mem|Swp)|Load average|Uptime|PID USER.*' | sort; text '\'; shows 'Filter:'; text 'sleep 4322'; keys Enter; shows 'sleep 4322'; screen | grep -o 'sleep 4322' | sort -u; keys F9; shows 'Send signal'; screen | grep -oE 'SIGTERM|SIGKILL|SIGHUP' | sort -u; keys Enter; gone '[0-9] sleep 4322'; echo killed; keys F10; shows '^ended with'; screen | tail -1
