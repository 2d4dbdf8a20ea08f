# SPDX-License-Identifier: Apache-2.0
"""Record what Apache Spark says of files that it may not touch, and of full disks: tests/data/oracle/bad_files.json.

    python tests/data/oracle/record_bad_files.py sc://localhost:15002 without_permission FOLDER
    python tests/data/oracle/record_bad_files.py sc://localhost:15002 full_disk FOLDER

The first wants a Spark Connect server of a user without privileges, the second one that runs as root, as this does: it
mounts a file system of 512 KiB on the folder for each case, because Spark keeps the files of failed tasks open.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "python")]

import conftest  # noqa: E402

sys.meta_path.insert(0, conftest._PySparkFinder())  # nbaspark is pyspark from here on

import test_bad_files as test  # noqa: E402

from nbaspark.sql import SparkSession  # noqa: E402


def main(url, group, folder):
    """Run the cases of one group and keep their answers."""
    spark = SparkSession.builder.remote(url).getOrCreate()
    cases = test._load("bad_input_cases")
    outcomes = {}
    for name in cases.FILE_CASES[group]:
        where = Path(folder)
        if group == "full_disk":
            where = where / name
            where.mkdir(parents=True)
            disk = ["-t", "tmpfs", "-o", "size=512k,mode=777", "none"]
            subprocess.run(["mount", *disk, str(where)], check=True)
        else:
            (where / name).mkdir(parents=True)
            cases.lay_out_closed(where / name)
        outcomes |= test.run(group, spark, where, [name])
        if group == "full_disk":
            subprocess.run(["umount", "-l", str(where)], check=True)
        else:
            cases.open_again(where / name)
    kept = json.loads(test.ORACLE.read_text()) if test.ORACLE.exists() else {}
    kept[group] = {name: outcome["outcome"] for name, outcome in outcomes.items()}
    test.ORACLE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
