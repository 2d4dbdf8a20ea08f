# SPDX-License-Identifier: Apache-2.0
"""Queries of unusual size (large_plans.py) are planned within two seconds, in processes and threads with 512 KiB of stack."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

STACK = 512 * 1024


def small_stack():
    resource.setrlimit(resource.RLIMIT_STACK, (STACK, STACK))


@pytest.mark.parametrize("arguments", [[], ["--thread"]], ids=["process", "thread"])
def test_large_plans(arguments):
    script = Path(__file__).with_name("large_plans.py")
    done = subprocess.run(
        [sys.executable, script, *arguments],
        preexec_fn=None if arguments else small_stack,
        capture_output=True,
        text=True,
        timeout=300,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [(name, right) for name, _, right in answers if right is not True] == []
    assert [(name, seconds) for name, seconds, _ in answers if seconds > 2] == []
    assert len(answers) >= 30
