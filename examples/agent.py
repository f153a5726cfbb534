#!/usr/bin/python3
"""What agent code does all day, in one script: reads data, edits files, asks a database, runs tools, computes in parallel.

It prints the same natively and in a sandbox, every time. It works on a copy of project/ beside itself that it removes at
the end; with --in-place it edits project/ itself, which under usbx changes nothing on the host:

    usbx run -- python3 agent.py --in-place
"""
import asyncio
import collections
import concurrent.futures
import hashlib
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent


def say(what, value):
    print(f"{what:<22} {value}", flush=True)


def digest(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()[:16]


# ---- data: json, regular expressions, a database

def load_orders(project):
    orders = json.loads((project / "orders.json").read_text())
    say("orders", len(orders))
    return orders


def parse_log(project):
    pattern = re.compile(r"^(?P<time>\d\d:\d\d:\d\d) (?P<level>[A-Z]+) +(?P<who>[\w.]+): (?P<text>.*)$", re.M)
    log = (project / "service.log").read_text()
    levels = collections.Counter(match["level"] for match in pattern.finditer(log))
    slow = sorted((int(ms), path) for path, ms in re.findall(r"GET (\S+) took (\d+) ms", log))[-3:]
    say("log levels", dict(sorted(levels.items())))
    say("slowest", slow)


def query(work, orders):
    database = work / "orders.db"
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, item TEXT, amount INTEGER, price REAL)")
        db.executemany("INSERT INTO orders VALUES (:id, :customer, :item, :amount, :price)", orders)
        db.commit()
        rows = db.execute("SELECT customer, round(sum(amount * price), 2) AS total FROM orders "
                          "GROUP BY customer ORDER BY total DESC, customer LIMIT 3").fetchall()
        say("best customers", rows)
        try:
            with db:
                db.execute("DELETE FROM orders")
                raise RuntimeError("changed my mind")
        except RuntimeError:
            pass
        say("after rollback", db.execute("SELECT count(*) FROM orders").fetchone()[0])
    db.close()


# ---- files: edits, temporary files, archives

def edit_files(work):
    config = work / "config.ini"
    text = config.read_text()
    edited, count = re.subn(r"(?m)^retries *= *(\d+)$", lambda m: f"retries = {int(m[1]) * 2}", text)
    draft = config.with_suffix(".new")
    draft.write_text(edited)
    os.replace(draft, config)       # as editors do: the reader never sees half a file
    with open(work / "CHANGES", "a") as changes:
        changes.write("retries doubled\n")
    for source in sorted(work.glob("src/*.py")):
        source.write_text(source.read_text().replace("\t", "    "))
    os.chmod(work / "src" / "main.py", 0o755)
    say("edited", (count, digest(config.read_text()), digest("".join(p.read_text() for p in sorted(work.glob("src/*.py"))))))


def archive(work):
    with tempfile.TemporaryDirectory() as place:
        target = pathlib.Path(place) / "src.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in sorted(work.glob("src/*.py")):
                zipped.write(path, path.name)
        with zipfile.ZipFile(target) as zipped:
            say("zip", (zipped.testzip(), [info.filename for info in zipped.infolist()]))
            zipped.extractall(place)
        same = all((pathlib.Path(place) / p.name).read_bytes() == p.read_bytes() for p in work.glob("src/*.py"))
        say("unzipped the same", same)
    with tempfile.NamedTemporaryFile() as scratch, tempfile.SpooledTemporaryFile(max_size=1000) as spool:
        scratch.write(b"x" * 100_000)
        scratch.flush()
        spool.write(b"y" * 5000)
        say("temporary", (os.path.getsize(scratch.name), spool.tell()))


def walk(work):
    tree = [str(path.relative_to(work)) for path in sorted(work.rglob("*")) if "orders.db" not in path.name]
    say("tree", tree)


# ---- tools: pipelines, exit statuses, signals

def tools(work):
    out = subprocess.run("cat service.log | grep -v DEBUG | tr -s ' ' | cut -d' ' -f3 | sort | uniq -c | sort -rn | head -3",
                         shell=True, cwd=work, capture_output=True, text=True, check=True).stdout
    say("pipeline", [line.split() for line in out.splitlines()])
    sorter = subprocess.Popen(["sort", "-n"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    out, _ = sorter.communicate("\n".join(str(n * 7919 % 1000) for n in range(2000)))
    say("sort -n", digest(out))
    say("false", subprocess.run(["false"]).returncode)
    say("not there", subprocess.run(["sh", "-c", "no-such-tool"], stderr=subprocess.DEVNULL).returncode)
    sleeper = subprocess.Popen(["sleep", "60"])
    sleeper.terminate()
    say("terminated", sleeper.wait())
    try:
        subprocess.run(["sleep", "60"], timeout=0.05)
    except subprocess.TimeoutExpired as late:
        say("timeout", late.cmd)
    checked = subprocess.run([sys.executable, "-m", "compileall", "-q", "-d", "src", str(work / "src")],
                             env={**os.environ, "PYTHONPYCACHEPREFIX": str(work / "cache")})
    ran = subprocess.run([sys.executable, "main.py", "12"], cwd=work / "src", capture_output=True, text=True,
                         env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    say("its program", (checked.returncode, ran.returncode, ran.stdout.strip()))
    shutil.rmtree(work / "cache", ignore_errors=True)


def alarm():
    fired = []
    signal.signal(signal.SIGALRM, lambda number, frame: fired.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    deadline = time.monotonic() + 10
    while not fired and time.monotonic() < deadline:
        time.sleep(0.005)
    say("alarm", [signal.Signals(number).name for number in fired])


# ---- at the same time: threads, processes, asyncio

def collatz(n):
    steps = 0
    while n != 1:
        n = 3 * n + 1 if n % 2 else n // 2
        steps += 1
    return steps


def threads():
    lock, ready, results = threading.Lock(), threading.Barrier(8), []

    def work(number):
        ready.wait()
        value = sum(collatz(n) for n in range(1 + number * 100, 101 + number * 100))
        with lock:
            results.append((number, value))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    say("threads", sum(value for _, value in sorted(results)))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        say("thread pool", list(pool.map(collatz, range(27, 33))))


def processes(method):
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        say(f"pool by {method}", (pool.map(collatz, range(97, 103)), pool.apply_async(digest, ("x",)).get(timeout=60)))
    queue, total = context.Queue(), context.Value("i", 0)
    children = [context.Process(target=count_to, args=(queue, total, number)) for number in (1, 2, 3)]
    for child in children:
        child.start()
    got = sorted(queue.get(timeout=60) for _ in children)
    for child in children:
        child.join()
    say(f"processes by {method}", (got, total.value, [child.exitcode for child in children]))


def count_to(queue, total, number):
    for _ in range(number * 10):
        with total.get_lock():
            total.value += 1
    queue.put(number * 10)


async def echo_lines(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def talk():
    ours, theirs = socket.socketpair()
    server = asyncio.create_task(echo_lines(*await asyncio.open_connection(sock=theirs)))
    reader, writer = await asyncio.open_connection(sock=ours)
    for word in ("ask", "answer"):
        writer.write(word.encode() + b"\n")
    writer.write_eof()
    answer = (await reader.read()).decode().split()
    writer.close()
    await server
    return answer


async def run_tool(*command, data=None):
    tool = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await tool.communicate(data)
    return tool.returncode, out.decode().strip()


async def asynchronous():
    say("socketpair", await talk())
    results = await asyncio.gather(run_tool("tr", "a-z", "A-Z", data=b"shout"), run_tool("wc", "-c", data=b"z" * 200_000),
                                   run_tool("sh", "-c", "exit 3"), run_tool("expr", "6", "*", "7"))
    say("asyncio tools", results)
    try:
        await asyncio.wait_for(asyncio.sleep(60), 0.02)
    except asyncio.TimeoutError:
        say("asyncio timeout", "yes")


def main():
    in_place = sys.argv[1:] == ["--in-place"]
    project, work = HERE / "project", HERE / "project"
    if not in_place:
        work = HERE / "agent-work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(project, work)
    try:
        orders = load_orders(project)
        parse_log(project)
        query(work, orders)
        edit_files(work)
        archive(work)
        walk(work)
        tools(work)
        alarm()
        threads()
        processes("fork")
        processes("spawn")
        asyncio.run(asynchronous())
    finally:
        if not in_place:
            shutil.rmtree(work)
    say("done", digest(json.dumps(orders, sort_keys=True)))


if __name__ == "__main__":
    main()
