# SPDX-License-Identifier: Apache-2.0
"""Files that were handed to a job with ``nbaspark-submit --files``."""

from __future__ import annotations

import os

__all__ = ["SparkFiles"]


class SparkFiles:
    """Finds files that came with the job."""

    @classmethod
    def get(cls, filename: str) -> str:
        """Return the path of a file by its plain name."""
        return os.path.abspath(os.path.join(cls.getRootDirectory(), filename))

    @classmethod
    def getRootDirectory(cls) -> str:
        """Return the folder that holds the files."""
        return os.environ.get("NBASPARK_FILES", os.getcwd())
