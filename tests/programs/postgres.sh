# PostgreSQL: initdb, and the whole of pg_regress over a Unix socket, with the suite of Debian's source package
# needs: initdb pg_ctl psql perl gcc
# sources: postgresql-15
# user: 1000
# seconds: 2400
regress=$CACHE/postgresql-15/src/test/regress
pg_regress=$(find /usr/lib/postgresql/15 -name pg_regress -perm -1 | head -1)
initdb -D data -A trust -N -U postgres --no-locale -E UTF8 > initdb.log 2>&1; echo "initdb $?"; grep -c ok initdb.log
printf "listen_addresses = ''\nunix_socket_directories = '$PWD'\nfsync = off\nmax_prepared_transactions = 2\n" >> data/postgresql.conf
pg_ctl -D data -w -t 60 -l pg.log start > /dev/null; echo "start $?"
base=$PWD; mkdir suite; cp -r $regress/{sql,expected,data,resultmap,parallel_schedule} suite/; cd suite; mkdir results
gcc -shared -fPIC -O1 -I/usr/include/postgresql/15/server -I$regress -o regress.so $regress/regress.c 2> cc.log || head -3 cc.log
createdb -h $base -U postgres regression
$pg_regress --use-existing --inputdir=. --outputdir=. --bindir=/usr/lib/postgresql/15/bin --dlpath=. --host=$base --user=postgres --dbname=regression --max-connections=8 --schedule=parallel_schedule > log 2>&1; echo "pg_regress $?"
sed -E 's/ +[0-9]+ ms//; s/(parallel group .*\)):.*/\1/' log
# The source package can be older than an update of the program: what differs from its results must be the same everywhere.
for test in $(awk '/FAILED/ { print $1 == "test" ? $2 : $1 }' log | sort); do echo "$test: $(diff expected/$test.out results/$test.out | md5sum)"; done
cd ..; pg_ctl -D data -w -m fast stop > /dev/null; echo "stop $?"; pg_controldata data | grep 'cluster state'
