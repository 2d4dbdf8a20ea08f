# SPDX-License-Identifier: Apache-2.0
"""The pages made from tables are those that the tables make."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_generated_pages_are_current():
    done = subprocess.run(
        [sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
