# PostgreSQL: initdb and the parallel groups of pg_regress over a Unix socket, with the suite of Debian's source package
# needs: initdb pg_ctl psql perl gcc
# sources: postgresql-15
# user: 1000
# seconds: 2400
regress=$CACHE/postgresql-15/src/test/regress
pg_regress=$(find /usr/lib/postgresql/15 -name pg_regress -perm -1 | head -1)
initdb -D data -A trust -N -U postgres --no-locale -E UTF8 > initdb.log 2>&1; echo "initdb $?"; grep -c ok initdb.log
printf "listen_addresses = ''\nunix_socket_directories = '$PWD'\nfsync = off\nmax_prepared_transactions = 2\n" >> data/postgresql.conf
pg_ctl -D data -w -t 60 -l pg.log start > /dev/null; echo "start $?"
mkdir suite; cp -r $regress/sql $regress/expected $regress/data $regress/resultmap suite/; cd suite; mkdir results
gcc -shared -fPIC -O1 -I/usr/include/postgresql/15/server -I$regress -o regress.so $regress/regress.c 2> cc.log || head -3 cc.log
echo "test: test_setup" > schedule; for group in \
	"boolean char name varchar text int2 int4 int8 oid float4 float8 bit numeric txid uuid enum money pg_lsn regproc" \
	"strings md5 numerology point lseg line box path polygon circle date time timetz timestamp timestamptz interval inet macaddr macaddr8" \
	"geometry horology regex comments expressions unicode xid mvcc" "copy copyselect copydml insert insert_conflict" \
	"create_function_c create_misc create_operator create_procedure create_table create_type" "create_index create_index_spgist create_view" \
	"create_aggregate create_cast constraints triggers select inherit typed_table vacuum drop_if_exists updatable_views" \
	"select_into select_distinct subselect union case join aggregates transactions random portals arrays btree_index hash_index update delete namespace prepared_xacts" \
	"brin gin gist spgist privileges matview rules psql lock" "plancache limit plpgsql copy2 temp domain rangefuncs prepare conversion truncate alter_table sequence polymorphism rowtypes returning largeobject with xml" \
	"partition_join partition_prune hash_part indexing json jsonb jsonpath window tsearch"; do echo "test: $(for t in $group; do [ -f sql/$t.sql ] && printf '%s ' $t; done)" >> schedule; done
cd ..; base=$PWD; cd suite; createdb -h $base -U postgres regression; $pg_regress --use-existing --inputdir=. --outputdir=. --bindir=/usr/lib/postgresql/15/bin --dlpath=. --host=$base --user=postgres --dbname=regression --max-connections=8 --schedule=schedule 2>&1 | sed -E 's/ +[0-9]+ ms//; s/(parallel group .*\)):.*/\1/'
cd ..; pg_ctl -D data -w -m fast stop > /dev/null; echo "stop $?"; pg_controldata data | grep 'cluster state'
