# SPDX-License-Identifier: Apache-2.0
"""Build of nbaspark: csrc/Makefile does the work, setuptools packs the result."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

TOP = Path(__file__).resolve().parent


class MakeExtension(build_ext):
    """Runs make for the extensions; make knows what is out of date."""

    def build_extension(self, ext):
        import numpy

        target = Path(self.get_ext_fullpath(ext.name)).resolve()
        command = [
            "make",
            "-C",
            str(TOP / "csrc"),
            f"-j{os.cpu_count() or 1}",
            "python",
            "daemon",
            f"PY_INCLUDE={sysconfig.get_path('include')}",
            f"NUMPY_INCLUDE={numpy.get_include()}",
            f"EXT_SUFFIX={sysconfig.get_config_var('EXT_SUFFIX')}",
            f"PY_OUT={target.parent}",
        ]
        try:
            subprocess.run(command, check=True, cwd=TOP)
        except FileNotFoundError:
            sys.exit(
                "nbaspark: GNU make, gcc and the libraries named in docs/development.md are needed"
            )


# What goes into the environment's bin/ beside the console scripts of pyproject.toml.
PROGRAMS = [
    "build/release/nbasparkd",
    *sorted(str(p.relative_to(TOP)) for p in TOP.glob("python/sbin/*.sh")),
]

setup(
    data_files=[("bin", PROGRAMS)],
    ext_modules=[Extension(f"nbaspark.{name}", sources=[]) for name in ("_core", "_grpc")],
    cmdclass={"build_ext": MakeExtension},
)
