# SPDX-License-Identifier: Apache-2.0
"""The behaviour tests of tests/python, by Spark's client on our master."""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def test_suite(master):
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/python", "--engine", "spark"],
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=1200,
        env={
            **os.environ,
            "NBASPARK_TEST_OURS": "1",
            "NBASPARK_TEST_REMOTE": master.url,
            "TZ": "UTC",
        },
    )
    assert ran.returncode == 0, ran.stdout[-6000:]
