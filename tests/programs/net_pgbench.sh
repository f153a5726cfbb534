# PostgreSQL over TCP: pgbench with 4 clients, simple and prepared, over 127.0.0.1 and ::1; no transaction fails, and the books balance
# needs: initdb pg_ctl psql pgbench
# user: 1000
# seconds: 300
initdb -D data -A trust -N -U postgres --no-locale -E UTF8 > initdb.log 2>&1; echo "initdb $?"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf "listen_addresses = '127.0.0.1,::1'\nport = $port\nunix_socket_directories = ''\nfsync = off\n" >> data/postgresql.conf
pg_ctl -D data -w -t 60 -l pg.log start > /dev/null; echo "start $?"
export PGHOST=127.0.0.1 PGPORT=$port PGUSER=postgres PGDATABASE=postgres
pgbench -q -i -s 2 > init.log 2>&1; echo "made $?"
run() { pgbench -n "$@" > run.log 2>&1; echo "pgbench $*: $?"; grep -E 'actually processed|number of failed' run.log; }
run -c 4 -j 2 -t 200
run -c 4 -j 2 -t 200 -M prepared
PGHOST=::1 run -c 4 -j 2 -t 100
run -c 4 -j 2 -t 500 -S
run -c 2 -t 20 -C
psql -qtA -c 'select sum(abalance) = (select sum(bbalance) from pgbench_branches), sum(abalance) = (select sum(tbalance) from pgbench_tellers),
	sum(abalance) = (select sum(delta) from pgbench_history), (select count(*) from pgbench_history) from pgbench_accounts'
psql -qtA -c "select count(*), min(host(client_addr)) from pg_stat_activity where client_port > 0"
pg_ctl -D data -w -m fast stop > /dev/null; echo "stop $?"
