#!/usr/bin/python3
"""Archives as --save writes them, to begin with: tests/fuzz/tar_seeds.py DIRECTORY"""
import io
import sys
import tarfile

ENTRIES = [("var/a", "usbx1 M 2 100644 11 100644 6 0 0", b"hello\nmore\n"), ("var/.wh.gone", "usbx1 D 0 0 0 100644 5 0 0", b""),
           ("var/" + "x" * 150, "usbx1 A 0 100644 0 0 0 0 0", b"")]

for number, (name, comment, data) in enumerate(ENTRIES):
    with tarfile.open(f"{sys.argv[1]}/{number}", "w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        entry.pax_headers = {"comment": comment}
        archive.addfile(entry, io.BytesIO(data))
