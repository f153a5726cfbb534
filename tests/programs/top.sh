# top and htop driven by keys: columns, sorting, a kill by number, a filter, help; top -b
# needs: tmux top htop
# where: host
. lib/terminal.bash
# What they show of one process: of the host's others nothing may be seen, let alone killed. That one has a short name: numbers of
# processes, and with them the columns, are as wide as the machine wants.
labels() { screen | sed -E 's/[0-9][0-9.,:]*[a-zA-Z]?//g; s/ +/ /g; s/^ //; s/ $//'; }
key() { text "$1"; shows "$2"; }
$RUN sh -c 'sleep 77 & top -b -n2 -d 0.2 -w 120 -p $! | sed "s/^ *//; s/[0-9][0-9.]*//g; s/ \+/ /g" | grep -E "^ ?(Tasks|%Cpu|MiB|PID|root .*sleep)"; kill $!'

echo "== top"
start "$RUN sh -c 'sleep 77 & top -d 0.3 -p \$!'"
shows 'sleep'; labels | sed -n '2,7p' | sed 's/, *//g' | cut -c1-30
key c 'sleep 77'; pid=$(screen | awk '/sleep 77/ { print $1; exit }')
key 1 '%Cpu1'; labels | grep -c '%Cpu'; key 1 '%Cpu\(s\)'
key h 'Help for Interactive Commands'; screen | sed -n '4,20p'; keys Escape; shows 'sleep 77'
key f 'Fields Management'; screen | grep -oE '^\* [A-Z%+]+ +=' | sort | head -20; keys Escape; shows 'sleep 77'
key M 'sleep 77'; key P 'sleep 77'; key T 'sleep 77'; key V '`- sleep 77|sleep 77'
key k 'PID to signal/kill'; text "$pid"; keys Enter; shows 'Send pid'; screen | grep -o 'Send pid.*signal' | sed 's/[0-9]* sig/sig/'; keys Enter
gone 'sleep 77'; echo killed; text q; shows '^ended with'; screen | tail -1

echo "== htop"
start "$RUN sh -c 'sleep 88 & HOME=/nonexistent htop -d 3 --no-color -p \$!'"
shows 'F1Help'; screen | tail -1 | grep -o 'F[0-9]*[A-Za-z+ -]*' | head -4
labels | grep -oE '^(Mem|Swp)|Tasks|Load average|Uptime|PID USER.*' | sort
keys F6; shows 'Sort by'; screen | grep -oE '(PID|USER|PRIORITY|NICE|M_RESIDENT|STATE)' | sort -u; keys Escape; shows 'F1Help'
key '\' 'Filter:'; text 'sleep 88'; keys Enter; shows 'sleep 88'; screen | grep -o 'sleep 88' | sort -u
keys F5; shows 'F5List'; keys F5; shows 'F5Tree'
keys F9; shows 'Send signal'; screen | grep -oE 'SIGTERM|SIGKILL|SIGHUP' | sort -u; keys Enter
gone '[0-9] sleep 88'; echo killed; keys F10; shows '^ended with'; screen | tail -1
