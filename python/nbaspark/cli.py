# SPDX-License-Identifier: Apache-2.0
"""The command ``nbaspark``: the programs of the package under one name."""

from __future__ import annotations

import os
import shutil
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = """\
Usage: nbaspark master|worker|history [options]    a daemon of the cluster: nbasparkd, which has --help
       nbaspark submit [options] job.py [arguments]  a job that was written for PySpark
       nbaspark --version
"""


def _daemon() -> str:
    """Return the path of nbasparkd: beside this interpreter, else on the search path."""
    beside = os.path.join(os.path.dirname(sys.executable), "nbasparkd")
    path = beside if os.access(beside, os.X_OK) else shutil.which("nbasparkd")
    if path is None:
        sys.exit("nbaspark: nbasparkd is not installed beside this Python, nor on PATH")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command and its options; by default those of the process.

    Returns
    -------
    int
        The exit code. A daemon takes the place of this process and does not return.
    """
    command, *rest = list(sys.argv[1:] if arguments is None else arguments) or [""]
    if command in ("master", "worker", "history"):
        path = _daemon()
        os.execv(path, [path, command, *rest])
    if command == "submit":
        from nbaspark.submit import main as submit

        submit(rest)
        return 0
    if command in ("--version", "version"):
        from nbaspark import __version__

        print(f"nbaspark {__version__}")
        return 0
    (sys.stdout if command in ("--help", "-h") else sys.stderr).write(_USAGE)
    return 0 if command in ("--help", "-h") else 2


if __name__ == "__main__":
    sys.exit(main())
