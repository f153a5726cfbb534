#!/bin/bash
# The sqlite3 program: WAL, two processes, locks, backup, import, dump.
sqlite3 a.db 'pragma journal_mode=wal; create table t (id integer primary key, v text); insert into t (v) values (1), (2);'
for i in 1 2 3 4; do (for j in $(seq 10); do sqlite3 -cmd '.timeout 20000' a.db "insert into t (v) values ($i * 100 + $j)"; done) & done; wait
sqlite3 a.db 'select count(*), count(distinct v), sum(v) from t; pragma integrity_check'
mkfifo in; sqlite3 -cmd '.timeout 20000' a.db < in > /dev/null & exec 3> in; echo 'begin immediate; insert into t (v) values (0);' >&3; until ! sqlite3 a.db 'begin immediate' 2> /dev/null; do sleep 0.02; done
sqlite3 -cmd '.timeout 50' a.db 'insert into t (v) values (9)' 2>&1; echo "$?"; sqlite3 a.db 'select count(*) from t'; echo 'rollback;' >&3; exec 3>&-; wait
sqlite3 a.db '.backup b.db' && sqlite3 b.db 'select count(*), sum(v) from t'; sqlite3 a.db 'select v from t order by v' | md5sum; sqlite3 a.db .dump | sqlite3 c.db; sqlite3 c.db 'select max(id) from t'
printf '1,one\n2,"two, quoted"\n' > i.csv; sqlite3 c.db '.mode csv' 'create table u (a, b)' '.import i.csv u' 'select b from u'
sqlite3 c.db 'create table big as with recursive n(x) as (select 1 union all select x + 1 from n where x < 20000) select x, hex(x * 7) h from n; create index bi on big (h); select count(*), min(h), max(h) from big; vacuum; pragma page_count'
sqlite3 c.db 'pragma locking_mode=exclusive; begin exclusive; select 1; commit;'; sqlite3 :memory: 'select sqlite_version() > 3, json_extract(json_array(1, 2), "$[1]")'
sqlite3 a.db 'pragma wal_checkpoint(truncate)'; sqlite3 -readonly a.db 'insert into t (v) values (1)' 2>&1; sqlite3 a.db 'pragma journal_mode=delete'; ls
