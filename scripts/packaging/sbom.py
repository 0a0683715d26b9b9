#!/usr/bin/env python3
"""Lists the crates in the executables, as CycloneDX 1.5 JSON.

usage: sbom.py VERSION FILE
"""

import json
import os
import subprocess
import sys
import time


def normal_dependencies(metadata):
    """The ids of all packages that are linked into the executables."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    todo, seen = [metadata["resolve"]["root"]], set()
    while todo:
        package = todo.pop()
        if package in seen:
            continue
        seen.add(package)
        for dependency in nodes[package]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                todo.append(dependency["pkg"])
    return seen


def main():
    version, path = sys.argv[1:3]
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host()]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    linked = normal_dependencies(metadata)
    components = []
    for package in metadata["packages"]:
        if package["id"] not in linked or package["source"] is None:
            continue
        component = {
            "type": "library",
            "name": package["name"],
            "version": package["version"],
            "purl": "pkg:cargo/{}@{}".format(package["name"], package["version"]),
        }
        if package["license"]:
            component["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        components.append(component)
    components.sort(key=lambda component: (component["name"], component["version"]))
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0"))))
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": stamp,
            "component": {"type": "application", "name": "hmt", "version": version},
        },
        "components": components,
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    print(path)


def host():
    lines = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout.splitlines()
    return next(line.split(" ", 1)[1] for line in lines if line.startswith("host: "))


main()
