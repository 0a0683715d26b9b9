"""Runs a script of `hmt-mock --callback-dir`.

usage: run.py SCRIPT

A script that imports `callback` from HMT defines functions, which are served here. Any other script speaks the protocol
itself (see hmt-mock(1)), and is run as a program.
"""

import ast
import importlib.util
import os
import runpy
import sys

# The exit status of a script that ended without an error and has no callbacks. Other scripts may import it.
NO_CALLBACKS = 77


def imports_callbacks(tree):
    """True if the script imports a module of HMT, or of the earlier Python tool."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        if any(name.split(".")[0] in ("hmt", "hmt_server", "meeshkan") for name in names):
            return True
    return False


def main():
    script = sys.argv[1]
    sys.argv[:] = sys.argv[1:]
    with open(script, "rb") as file:
        source = file.read()
    # From here on, the script's own folder replaces the folder of this file.
    folder = os.path.dirname(os.path.abspath(script))
    if not imports_callbacks(ast.parse(source, script)):
        sys.path[0] = folder
        runpy.run_path(script, run_name="__main__")
        sys.exit(NO_CALLBACKS)
    # Imported before the script, because its folder may have modules with the same names.
    from hmt import callbacks

    callbacks.serve_at_exit(False)
    sys.path[0] = folder
    name = os.path.splitext(os.path.basename(script))[0]
    if name in sys.modules:
        name = "callbacks." + name
    spec = importlib.util.spec_from_file_location(name, script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    if not callbacks.serve():
        sys.exit(NO_CALLBACKS)


main()
