# SPDX-License-Identifier: Apache-2.0
"""Frequent patterns: none is built yet; each says so by name when it is made."""

from __future__ import annotations

from nbaspark.ml.absent import absent

__getattr__ = absent(
    __name__,
    """FPGrowth FPGrowthModel PrefixSpan""",
)
