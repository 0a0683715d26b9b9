#!/usr/bin/env python3
"""Builds the wheel: the executables on PATH, the module `hmt` with its pytest plugin, and the callbacks.

usage: wheel.py VERSION BIN_FOLDER OUT_FOLDER

The same inputs give the same bytes: names are sorted, and times are SOURCE_DATE_EPOCH.
"""

import base64
import hashlib
import os
import re
import sys
import time
import zipfile
from pathlib import Path

from common import EPOCH, LEVEL, TOOLS

HERE = Path(__file__).resolve().parent


def glibc(binaries):
    """The newest version of the C library that a symbol of the executables needs."""
    versions = [(2, 17)]
    for path in binaries:
        for found in re.findall(rb"GLIBC_2\.(\d+)\b", path.read_bytes()):
            versions.append((2, int(found)))
    return max(versions)


def main():
    version, binaries, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    machine = os.uname().machine
    major, minor = glibc([binaries / tool for tool in TOOLS])
    tag = "py3-none-manylinux_{}_{}_{}".format(major, minor, machine)
    name = "hmt-{}-{}.whl".format(version, tag)
    info, data = "hmt-{}.dist-info".format(version), "hmt-{}.data".format(version)

    files = {}
    for root in (HERE.parent / "callbacks" / "python", HERE / "python"):
        for path in sorted((root / "hmt").rglob("*")):
            # The second root has the package itself, which includes the files of the first one.
            if path.is_file() and "__pycache__" not in path.parts:
                files[path.relative_to(root).as_posix()] = path.read_bytes().replace(b"@VERSION@", version.encode())
    for tool in TOOLS:
        files["{}/scripts/{}".format(data, tool)] = (binaries / tool).read_bytes()
    for page in sorted((HERE.parent.parent / "man").iterdir()):
        files["{}/data/share/man/man{}/{}".format(data, page.suffix[1:], page.name)] = page.read_bytes()
    readme = (HERE / "python" / "README.md").read_text(encoding="utf-8")
    files[info + "/METADATA"] = (
        "Metadata-Version: 2.1\nName: hmt\nVersion: {}\n"
        "Summary: The HTTP Mocking Toolkit: record traffic, build an OpenAPI spec from it, mock the API\n"
        "License: MIT\nRequires-Python: >=3.8\nClassifier: Framework :: Pytest\nClassifier: Typing :: Typed\n"
        "Description-Content-Type: text/markdown\n\n{}"
    ).format(version, readme).encode()
    files[info + "/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: hmt\nRoot-Is-Purelib: false\nTag: {}\n".format(tag).encode()
    )
    files[info + "/entry_points.txt"] = b"[pytest11]\nhmt = hmt.pytest_plugin\n"
    files[info + "/licenses/LICENSE"] = (HERE.parent.parent / "LICENSE").read_bytes()

    record = []
    for path, content in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record.append("{},sha256={},{}".format(path, digest, len(content)))
    record.append(info + "/RECORD,,")
    files[info + "/RECORD"] = ("\n".join(record) + "\n").encode()

    stamp = time.gmtime(max(EPOCH, 315532800))[:6]
    with zipfile.ZipFile(out / name, "w") as wheel:
        # The metadata last, as the format recommends.
        for path in sorted(files, key=lambda path: (path.startswith(info), path)):
            entry = zipfile.ZipInfo(path, stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            mode = 0o755 if "/scripts/" in path else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            wheel.writestr(entry, files[path], compresslevel=LEVEL)
    print(out / name)


main()
