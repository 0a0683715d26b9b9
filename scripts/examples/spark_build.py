#!/usr/bin/env python3
"""Builds one spec from recordings of any size on a Spark cluster.

usage: spark-submit scripts/examples/spark_build.py RECORDINGS... [-o SPEC] [--partitions N] [--bin DIR]

Each partition of the text is piped through `hmt-build --partial -`, which returns one line, and `hmt-merge` builds the spec from
all these lines. The result is the same as that of one run over everything, whatever the partitions are. The programs must be on
the PATH of the workers, or in --bin. RECORDINGS can be anything that SparkContext.textFile accepts: files, folders, patterns,
hdfs://, s3a://.
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
    parser.add_argument("--partitions", type=int, help="minimum number of partitions (default: Spark decides)")
    parser.add_argument("--bin", default="", help="the folder of the programs")
    args = parser.parse_args()
    folder = f"{args.bin.rstrip('/')}/" if args.bin else ""

    # 3 means that some records were rejected; they are listed on the worker's standard error. A retry would not help.
    build = f"{shlex.quote(folder + 'hmt-build')} --partial - || test $? = 3"
    with SparkContext(appName="hmt-build") as spark:
        lines = spark.textFile(",".join(args.recordings), args.partitions)
        partials = lines.pipe(f"sh -c {shlex.quote(build)}", checkCode=True).collect()
    with tempfile.TemporaryDirectory() as scratch:
        # Partials contain observed values, so only this user can read the folder.
        all_partials = Path(scratch, "all.partial.json")
        all_partials.write_text("".join(f"{line}\n" for line in partials))
        return subprocess.run([f"{folder}hmt-merge", all_partials, "-o", args.out]).returncode


if __name__ == "__main__":
    sys.exit(main())
