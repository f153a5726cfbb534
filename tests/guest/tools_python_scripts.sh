#!/bin/bash
# python3 as scripts use it: modules, venv-less installs, compile, zip applications, pipes, here-documents.
export PYTHONDONTWRITEBYTECODE=1; python3 - a b << 'X'
import sys, os, json, re, subprocess, tempfile, pathlib, shutil, hashlib, glob, fnmatch, stat, time, collections, itertools
print(sys.argv[1:], os.getcwd() != "/"); print(json.dumps({"b": [1, 2.5, None], "a": "ü"}, sort_keys=True)); print(re.sub(r"(\d+)", lambda m: str(int(m[1]) * 2), "a1b22"))
d = tempfile.mkdtemp(); p = pathlib.Path(d) / "x" / "y"; p.mkdir(parents=True); (p / "f.txt").write_text("data"); print(sorted(q.name for q in pathlib.Path(d).rglob("*"))); shutil.copytree(d, d + "2"); print(subprocess.run(["diff", "-r", d, d + "2"]).returncode); shutil.make_archive(d + "a", "gztar", d); print(os.path.exists(d + "a.tar.gz")); shutil.rmtree(d); shutil.rmtree(d + "2"); os.unlink(d + "a.tar.gz")
print(hashlib.sha256(b"x" * 100000).hexdigest()[:16]); r, w = os.pipe(); pid = os.fork()
if not pid: os.write(w, b"child"); os._exit(3)
print(os.read(r, 10), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])); print(subprocess.check_output("seq 3 | tac", shell=True, text=True).split())
with open("m.py", "w") as f: f.write("def f(): return 'imported'\n")
sys.path.insert(0, "."); import m; print(m.f()); os.utime("m.py", ns=(1, 10**18)); print(os.stat("m.py").st_mtime_ns); print(sum(1 for _ in os.scandir("/usr/lib/python3.11") if _.name.endswith(".py")) > 100)
X
python3 -c 'import sys; sys.exit(4)'; echo $?; python3 -c 'raise ValueError("x")' 2>&1 | tail -1; echo 'print(input()[::-1])' > r.py; echo reverse | python3 r.py; mkdir app; echo 'print("from a zip")' > app/__main__.py; python3 -m zipapp app -o app.pyz && python3 app.pyz; python3 -m json.tool <<< '{"a":1}'; python3 -m timeit -n 1 -r 1 pass > /dev/null; python3 -m compileall -q app; echo $?; python3 -m unittest discover -s app 2>&1 | tail -1; timeout 10 python3 -c 'import time; time.sleep(0.1); print("slept")'; python3 -c 'import os; os.kill(os.getpid(), 15)'; echo $?; yes | python3 -c 'import sys; print(sum(1 for _ in zip(sys.stdin, range(1000))))'; python3 -X importtime -c pass 2>&1 | wc -l | awk '{ print $1 > 10 }'
