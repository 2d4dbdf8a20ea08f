# SPDX-License-Identifier: Apache-2.0
"""Functions in Python: the names that PySpark has for them.

The engine does not run Python code yet, so that each of them says so when it is called.
"""

from __future__ import annotations

from nbaspark.errors.raising import not_implemented

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def udf(f: Any = None, returnType: Any = None, *, useArrow: bool | None = None) -> Any:
    """Make a function of columns of a Python function; not implemented."""
    raise not_implemented("udf")


def pandas_udf(f: Any = None, returnType: Any = None, functionType: Any = None) -> Any:
    """Make a function of columns of a function of pandas Series; not implemented."""
    raise not_implemented("pandas_udf")


def arrow_udf(f: Any = None, returnType: Any = None, functionType: Any = None) -> Any:
    """Make a function of columns of a function of Arrow arrays; not implemented."""
    raise not_implemented("arrow_udf")


def udtf(cls: Any = None, *, returnType: Any = None, useArrow: bool | None = None) -> Any:
    """Make a table function of a Python class; not implemented."""
    raise not_implemented("udtf")


def arrow_udtf(cls: Any = None, *, returnType: Any = None) -> Any:
    """Make a table function of a Python class over Arrow batches; not implemented."""
    raise not_implemented("arrow_udtf")
