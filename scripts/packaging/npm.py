#!/usr/bin/env python3
"""Builds the npm packages: hmt-VERSION.tgz with the module for tests and the commands, and its optional dependency, a
package with the executables of this platform.

usage: npm.py VERSION BIN_FOLDER OUT_FOLDER

The same inputs give the same bytes: names are sorted, and times are SOURCE_DATE_EPOCH.
"""

import gzip
import io
import json
import platform
import sys
import tarfile
from pathlib import Path

from common import EPOCH, LEVEL, TOOLS

HERE = Path(__file__).resolve().parent


def pack(path, files):
    """Writes a package: names and their content and mode."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, (content, mode) in sorted(files.items()):
            entry = tarfile.TarInfo("package/" + name)
            entry.size, entry.mode, entry.mtime = len(content), mode, EPOCH
            archive.addfile(entry, io.BytesIO(content))
    with open(path, "wb") as file, gzip.GzipFile("", "wb", LEVEL, file, EPOCH) as packed:
        packed.write(buffer.getvalue())
    print(path)


def description(value):
    return (json.dumps(value, indent=2) + "\n").encode(), 0o644


def main():
    version, binaries, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    cpu = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), platform.system().lower())
    native = "hmt-{}-{}".format(system, cpu)
    common = {
        "version": version,
        "license": "MIT",
        "description": "The HTTP Mocking Toolkit: record traffic, build an OpenAPI spec from it, mock the API",
    }
    license_file = ((HERE.parent.parent / "LICENSE").read_bytes(), 0o644)

    files = {"bin/" + tool: ((binaries / tool).read_bytes(), 0o755) for tool in TOOLS}
    files["package.json"] = description({"name": native, **common, "os": [system], "cpu": [cpu]})
    files["LICENSE"] = license_file
    pack(out / "{}-{}.tgz".format(native, version), files)

    files = {}
    for path in sorted((HERE / "npm").rglob("*")):
        if path.is_file():
            files[path.relative_to(HERE / "npm").as_posix()] = (path.read_bytes(), 0o644)
    # Scripts of --callback-dir find the same functions in this package.
    callbacks = HERE.parent / "callbacks" / "node" / "hmt" / "index.js"
    files["callbacks.js"] = (callbacks.read_bytes(), 0o644)
    for tool in TOOLS:
        shim = "#!/usr/bin/env node\n'use strict';\nrequire('../run.js')('{}');\n".format(tool)
        files["bin/{}.js".format(tool)] = (shim.encode(), 0o755)
    files["package.json"] = description(
        {
            "name": "hmt",
            **common,
            "main": "index.js",
            "types": "index.d.ts",
            "bin": {tool: "bin/{}.js".format(tool) for tool in TOOLS},
            "engines": {"node": ">=18"},
            "optionalDependencies": {native: version},
        }
    )
    files["LICENSE"] = license_file
    pack(out / "hmt-{}.tgz".format(version), files)


main()
