# SPDX-License-Identifier: Apache-2.0
"""What a master pays for 100 and 1,000 workers: builds and runs benchmarks/c/bench_scheduler.c."""

import subprocess
from pathlib import Path

TOP = Path(__file__).parents[1]


def main():
    subprocess.run(["make", "-s", "-C", str(TOP / "csrc"), "lib"], check=True)
    libraries = (TOP / "csrc" / "Makefile").read_text().replace("\\\n", " ")
    named = [
        word
        for line in libraries.splitlines()
        if line.startswith(("LIBS :=", "RPC_LIBS :="))
        for word in line.split(":=")[1].split()
    ]
    program = TOP / "build" / "bench_scheduler"
    subprocess.run(
        [
            *("gcc", "-O2", "-std=c17", "-D_GNU_SOURCE", '-DNB_VERSION="bench"', "-pthread"),
            *("-I", str(TOP / "csrc"), "-isystem", str(TOP / "build" / "release" / "gen")),
            str(TOP / "benchmarks" / "c" / "bench_scheduler.c"),
            str(TOP / "build" / "release" / "libnbaspark.a"),
            *named,
            *("-o", str(program)),
        ],
        check=True,
    )
    subprocess.run([str(program)], check=True)


if __name__ == "__main__":
    main()
