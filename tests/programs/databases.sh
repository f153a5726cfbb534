# Redis on a local socket with a background save, and PostgreSQL from initdb to a query in several sessions.
# needs: redis-server redis-cli initdb pg_ctl psql
# user: 1000
redis-server --port 0 --unixsocket $PWD/r.sock --save '' --logfile log --dir $PWD & server=$!
for i in $(seq 200); do [ -S r.sock ] && break; sleep 0.05; done
cli() { redis-cli -s r.sock "$@"; }
cli set a 1; cli incr a; cli lpush l x y z; cli lrange l 0 -1; cli eval 'return redis.call("get", "a") + 1' 0; cli bgsave
for i in $(seq 100); do [ -f dump.rdb ] && break; sleep 0.05; done; ls dump.rdb
(cli blpop queue 10; echo popped) & sleep 0.3; cli rpush queue item > pushed; wait $!; cat pushed
cli shutdown nosave; wait $server; echo "redis $?"
initdb -D data -A trust -N > initdb.log 2>&1 || cat initdb.log
pg_ctl -D data -w -t 60 -o "-c listen_addresses='' -k $PWD" -l pg.log start > /dev/null || cat pg.log
sql() { psql -h $PWD -d postgres -qtA -c "$1"; }
sql 'create table t(id serial primary key, v text)'
for i in 1 2 3 4 5 6; do sql "insert into t(v) select md5(g::text) from generate_series(1, 500) g" & done; wait
sql 'select count(*), count(distinct v), max(id) from t'; sql 'create index on t(v)'; sql "explain (costs off) select * from t where v = 'x'" | head -2
sql 'vacuum analyze t'; sql "select pg_sleep(0.1)"; sql "select count(*) from pg_stat_activity where backend_type = 'checkpointer'"
pg_ctl -D data -w -m fast stop > /dev/null; echo "postgres $?"
