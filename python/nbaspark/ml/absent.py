# SPDX-License-Identifier: Apache-2.0
"""Classes that PySpark has and nbaspark does not have: using one says so by name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def absent(module: str, names: str) -> Callable[[str], Any]:
    """Return a module's ``__getattr__`` that gives stand-ins for these names.

    They can be imported; making or calling one raises PySparkNotImplementedError.
    """
    known = frozenset(names.split())

    def module_getattr(name: str) -> Any:
        if name in known:
            return _stand_in(module, name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return module_getattr


def _stand_in(module: str, name: str) -> type:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        from nbaspark.errors.raising import not_implemented

        raise not_implemented(f"{module.removeprefix('nbaspark.')}.{name}")

    body = {"__module__": module, "__new__": refuse, "load": staticmethod(refuse)}
    return type(name, (), {**body, "read": staticmethod(refuse)})
