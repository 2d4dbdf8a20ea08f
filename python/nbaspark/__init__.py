# SPDX-License-Identifier: Apache-2.0
"""nbaspark: PySpark's DataFrame and ML interface on an engine in C."""

from nbaspark._version import __version__

__all__ = ["__version__"]
