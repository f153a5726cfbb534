#!/usr/bin/python3
"""sqlite3: journal modes, locks between processes, integrity."""
import os
import sqlite3

for mode in ("delete", "truncate", "persist", "memory", "wal"):
    name = f"{mode}.db"
    db = sqlite3.connect(name, isolation_level=None)
    print(mode, db.execute(f"pragma journal_mode={mode}").fetchone()[0])
    db.execute("create table t (id integer primary key, text text)")
    db.execute("begin")
    db.executemany("insert into t (text) values (?)", ((f"row {i}",) for i in range(2000)))
    db.execute("commit")
    db.execute("begin")
    db.execute("delete from t where id % 2")
    db.execute("rollback")
    print(db.execute("select count(*), min(text), max(text) from t").fetchone())
    print(db.execute("pragma integrity_check").fetchone()[0])
    pid = os.fork()
    if not pid:
        other = sqlite3.connect(name, timeout=0.1, isolation_level=None)
        other.execute("begin immediate")
        other.execute("insert into t (text) values ('from the child')")
        other.execute("commit")
        os._exit(0)
    print(os.waitpid(pid, 0)[1], db.execute("select count(*) from t").fetchone())
    db.execute("begin exclusive")
    pid = os.fork()
    if not pid:
        try:
            sqlite3.connect(name, timeout=0.05).execute("insert into t (text) values ('x')")
            os._exit(1)
        except sqlite3.OperationalError as error:
            print(error, flush=True)
            os._exit(0)
    print(os.waitpid(pid, 0)[1])
    db.execute("rollback")
    db.close()
print(sorted(os.listdir()))
