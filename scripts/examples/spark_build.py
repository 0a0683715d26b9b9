#!/usr/bin/env python3
"""Builds one spec from recordings of any size on a Spark cluster.

usage: spark-submit scripts/examples/spark_build.py RECORDINGS... [-o SPEC] [--partitions N] [--bin DIR]

Each partition of the text goes through `hmt-build --partial -`, which gives one line for it, and `hmt-merge` makes the spec of
all these lines. It has the bytes that one run over everything would give, whatever the partitions are. The programs must be on
the PATH of the workers, or in --bin. RECORDINGS are what SparkContext.textFile takes: files, folders, patterns, hdfs://, s3a://.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from pyspark import SparkContext


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("recordings", nargs="+")
    parser.add_argument("-o", "--out", default="-")
    parser.add_argument("--partitions", type=int, help="at least so many; Spark decides without it")
    parser.add_argument("--bin", default="", help="the folder of the programs")
    args = parser.parse_args()
    folder = f"{args.bin.rstrip('/')}/" if args.bin else ""

    # 3 tells that some records were rejected, which are named on the worker's standard error; it is no reason to try again.
    build = f"{shlex.quote(folder + 'hmt-build')} --partial - || test $? = 3"
    with SparkContext(appName="hmt-build") as spark:
        lines = spark.textFile(",".join(args.recordings), args.partitions)
        partials = lines.pipe(f"sh -c {shlex.quote(build)}", checkCode=True).collect()
    with tempfile.TemporaryDirectory() as scratch:
        # Observed values are in them; the folder is this user's alone.
        all_partials = Path(scratch, "all.partial.json")
        all_partials.write_text("".join(f"{line}\n" for line in partials))
        return subprocess.run([f"{folder}hmt-merge", all_partials, "-o", args.out]).returncode


if __name__ == "__main__":
    sys.exit(main())
