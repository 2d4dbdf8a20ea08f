# SPDX-License-Identifier: Apache-2.0
"""All suites in turn: ./dev bench suites [--sf 1,10] [--only tpch,weblog,groupby_join,star,csv,json] [--rounds 2] [--save]

Data and peers' environments are made where they are missing (a few GB under build/bench). With --save each suite writes its file in
benchmarks/results when it ends, and docs/performance.md with its charts is made anew, so that a run that is stopped keeps what it has.
"""

from __future__ import annotations

import argparse
import importlib
import sys

import engines

# All peers at scale 1; Spark and LakeSail take minutes per query beyond it.
TPCH_PEERS = {"1": "duckdb,datafusion,pysail,pyspark"}
OTHERS = ("weblog", "groupby_join", "star", "csv", "json")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sf", default="1", help="scales of TPC-H, by commas")
    parser.add_argument("--only", default=",".join(("tpch", *OTHERS)))
    parser.add_argument("--rounds", default="1")
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    more = ["--rounds", given.rounds] + (["--save"] if given.save else [])
    wrong = []
    for name in given.only.split(","):
        if name == "tpch":
            runs = [(name, ["--sf", sf, "--peers", TPCH_PEERS.get(sf, "duckdb,datafusion")]) for sf in given.sf.split(",")]  # fmt: skip
        else:
            runs = [(f"bench_{name}", [])]
        for script, options in runs:
            print(f"== {' '.join([name, *options])}", flush=True)
            module = importlib.import_module(script)
            asked = module.arguments().parse_args([*options, *more])
            if not engines.measure(module.suite(asked), asked):
                wrong.append(name)
    if wrong:
        sys.exit(f"rows of nbaspark differ from DuckDB's, or are missing: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
