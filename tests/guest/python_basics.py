#!/usr/bin/python3
"""What a Python program touches first."""
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

print(sys.version_info[:2], platform.system(), platform.machine(), os.sep)
print(json.dumps({"b": [1, 2.5, None], "a": "ü"}, sort_keys=True), re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world"))
print(hashlib.sha256(b"x" * 100000).hexdigest())
with tempfile.TemporaryDirectory() as place:
    path = os.path.join(place, "a.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(50):
            archive.writestr(f"{i}.txt", str(i) * 1000)
    with zipfile.ZipFile(path) as archive:
        print(archive.testzip(), len(archive.namelist()), archive.read("7.txt")[:5])
print(subprocess.run(["tr", "a-z", "A-Z"], input="shout", capture_output=True, text=True).stdout)
print(subprocess.run("exit 3", shell=True).returncode, subprocess.getoutput("echo out; echo err >&2"))
try:
    subprocess.run(["/nonexistent"])
except FileNotFoundError as error:
    print(error.errno, error.strerror)
results = []
threads = [threading.Thread(target=lambda n=n: results.append(n * n)) for n in range(20)]
[t.start() for t in threads]
[t.join() for t in threads]
print(sorted(results))
lock = threading.Condition()
with lock:
    print(lock.wait(0.05))
start = time.monotonic()
time.sleep(0.05)
print(time.monotonic() - start >= 0.05, time.time() > 1.7e9)
print(os.getcwd() == os.path.realpath("."), os.listdir("."), os.access("/etc/passwd", os.R_OK))
r, w = os.pipe()
os.write(w, b"x" * 1000)
print(len(os.read(r, 4096)), os.isatty(r))
print(os.cpu_count() >= 1, os.get_terminal_size if False else "", len(os.urandom(16)))
