# sqlite3 from Debian's source package: configure, make -j2, suites of its own test fixture, speedtest1
# needs: gcc make tclsh
# sources: sqlite3
# seconds: 1800
cp -r $CACHE/sqlite3 sqlite; mkdir b; cd b
../sqlite/configure --disable-amalgamation CFLAGS="-O1" > log 2>&1; tail -3 log; grep -c '^checking' log
make -j2 sqlite3 > log 2>&1; echo "make $?"; grep -ci warning: log
./sqlite3 t.db 'create table t(a integer primary key, b text); with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000) insert into t select x, hex(x * 7919) from c; create index i on t(b); select count(*), sum(a), max(b) from t; pragma integrity_check; explain query plan select * from t where b = 1;'
./sqlite3 -version | cut -d' ' -f1; ./sqlite3 t.db .dump | md5sum; ./sqlite3 -csv -header t.db 'select * from t limit 3'; ./sqlite3 t.db 'vacuum into "u.db"'; cmp <(./sqlite3 u.db .dump) <(./sqlite3 t.db .dump) && echo same
make speedtest1 > log 2>&1; echo "make $?"; ./speedtest1 --size 10 s.db | sed 's/[0-9]*\.[0-9]*s//'; ./speedtest1 --size 5 --memdb --verify | sed 's/[0-9]*\.[0-9]*s//'; ./speedtest1 --size 5 --journal wal --testset cte w.db | sed 's/[0-9]*\.[0-9]*s//'
make -j2 testfixture > log 2>&1; echo "make $?"; [ -x testfixture ] || tail -5 log
# Of the 1,100 suites those about what a kernel has to do with: locks, journals, shared and mapped files, threads, processes that die;
# and some of plain SQL. The others ask nothing of the system that these do not, and take hours.
# crash.test ends a process in the middle of a transaction, seeded from Tcl's rand(), that is from time and process number: how many
# syncs a transaction has, and with them how many tests, is chance (855 and 909 in two native runs). With a fixed seed each run is the same.
echo 'expr {srand(7)}; source [file join [file dirname $argv0] crash.test]' > ../sqlite/test/crash_seeded.test
for suite in select1 insert join where index trans lock lock2 lock4 lock5 mmap1 journal1 vacuum sync superlock exclusive shared thread001 delete_db crash_seeded; do
	[ -f ../sqlite/test/$suite.test ] || continue
	echo "== $suite"; ./testfixture ../sqlite/test/$suite.test 2>&1 | grep -E '^! |errors out of|Failures' | sed 's/ on .* Linux/ on Linux/'
done
