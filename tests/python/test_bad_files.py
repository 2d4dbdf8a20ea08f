# SPDX-License-Identifier: Apache-2.0
"""Files that may not be read or written, and disks that are full: Spark's errors, old output whole, a session that goes on.

The cases are in bad_input_cases.py, what Spark gave in tests/data/oracle/bad_files.json (record_bad_files.py there). They
run in a process of their own: without root's power over others' permissions, or with a small file system mounted for it
alone; where the machine gives no process a mount, a limit on the size of files stands for the full disk.
"""

import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ORACLE = HERE.parent / "data" / "oracle" / "bad_files.json"
POWERS = "-dac_override,-dac_read_search"  # as capabilities(7) names them
DISK = 512 * 1024


def _load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(group, spark, folder, names=None):
    """Run a group's cases in folders below this one. Returns outcome, files of the old output, and an answer after it."""
    from test_bad_input import _contents, _outcome

    cases = _load("bad_input_cases")
    outcomes = {}
    for name in names or cases.FILE_CASES[group]:
        case = cases.FILE_CASES[group][name]
        here = folder / name
        old = here / ("sealed/old" if group == "without_permission" else "old")
        if group != "without_permission":
            cases.put(here, "1\n2\n", "old/part-00000-old.csv")
            here.chmod(0o777)
        outcome = _outcome(case, spark, here)
        outcomes[name] = {
            "outcome": outcome,
            "old": sorted(_contents(old)),
            "new": (here / "new").exists(),
            "after": spark.range(3).selectExpr("sum(id)").collect()[0][0],
        }
        if group != "without_permission":
            shutil.rmtree(here)
    return outcomes


def _child(group, folder):
    """What a process of its own does."""
    import nbaspark.sql

    spark = nbaspark.sql.SparkSession.builder.master("local[2]").getOrCreate()
    sys.path.insert(0, str(HERE))
    if group == "full_disk" and not os.path.ismount(folder):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (DISK // 8, DISK // 8))
    print(json.dumps(run(group, spark, Path(folder))))


def _outcomes(group, folder):
    command = [sys.executable, __file__, group, str(folder)]
    if group == "full_disk":
        mount = f'mount -t tmpfs -o size={DISK},mode=777 none "$1" && shift && exec "$@"'
        small = ["unshare", "-rm", "sh", "-c", mount, "sh", str(folder)]
        if subprocess.run([*small, "true"], capture_output=True).returncode == 0:
            command = small + command
    elif os.getuid() == 0:
        command = ["setpriv", f"--inh-caps={POWERS}", f"--bounding-set={POWERS}", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.embedded
@pytest.mark.parametrize("group", ["without_permission", "full_disk"])
def test_bad_files(group):
    cases = _load("bad_input_cases")
    tmp_path = Path(tempfile.mkdtemp(prefix="nbaspark-"))  # pytest's folders are closed to others
    tmp_path.chmod(0o777)
    if group == "without_permission":
        for name in cases.WITHOUT_PERMISSION:
            (tmp_path / name).mkdir()
            cases.lay_out_closed(tmp_path / name)
    try:
        outcomes = _outcomes(group, tmp_path)
    finally:
        if group == "without_permission":
            for name in cases.WITHOUT_PERMISSION:
                cases.open_again(tmp_path / name)
        shutil.rmtree(tmp_path)
    expected = json.loads(ORACLE.read_text())[group]
    assert {name: one["outcome"] for name, one in outcomes.items()} == expected
    for name, one in outcomes.items():
        assert one["old"] == ["part-00000-old.csv"] and not one["new"] and one["after"] == 3, name


if __name__ == "__main__":
    _child(*sys.argv[1:])
