"""Servers under load, for the benchmarks in this folder: their CPU time, memory and latency."""

import atexit
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

CONNECTIONS = 64
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that listens, with its children."""

    def __init__(self, command, port, folder, **env):
        env = dict(os.environ, HOME=folder, XDG_DATA_HOME=f"{folder}/data", **env)
        self.port = port
        with open(f"{folder}/log", "w") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
        # The process must end with this script, however that ends.
        atexit.register(self.process.kill)
        # A tenth of a second after the start for most, a minute for those on slow platforms.
        for _ in range(1200):
            time.sleep(0.05)
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
        sys.exit(f"{command[0]} did not come up:\n{Path(folder, 'log').read_text()}")

    def pids(self):
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        return found

    def cpu(self):
        """Seconds of CPU used so far."""
        stats = (Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in self.pids())
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICK

    def memory(self, field="VmHWM"):
        """The peak (`VmHWM`) or current (`VmRSS`) memory in MiB, summed over several processes."""
        texts = (Path(f"/proc/{pid}/status").read_text() for pid in self.pids())
        return sum(int(re.search(rf"{field}:\s+(\d+)", text)[1]) for text in texts) / 1024

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        # Programs on the JVM end with 143 after SIGTERM.
        if self.process.wait() not in (0, -signal.SIGTERM, 143):
            sys.exit(f"{self.process.args[0]} ended with {self.process.returncode}")


def wrk(port, seconds, script=None, path="/items?page=1"):
    """Requests, and the median and 99th percentile of the latency in ms."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "60s", "--latency"]
    if script:
        command += ["-s", script]
    url = f"http://127.0.0.1:{port}{path}"
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    if found := re.search(r"(Socket errors|Non-2xx).*", said):
        sys.exit(f"the load on {url} went wrong: {found[0]}")

    def latency(percentile):
        value, unit = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s)", said).groups()
        return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

    return int(re.search(r"(\d+) requests in", said)[1]), latency(50), latency(99)
