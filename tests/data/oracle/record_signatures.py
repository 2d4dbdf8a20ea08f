#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Record the public names and signatures of PySpark 4.2 in signatures.json.

Usage: python tests/data/oracle/record_signatures.py     (in an environment with pyspark 4.2)

Of each module: public functions and classes that it defines or names in __all__; of each class its public
members, without those of Python's own classes, which differ between its versions. Signatures are
names, kinds and defaults of parameters; annotations do not count.
"""

import importlib
import inspect
import json
from pathlib import Path

DATA = Path(__file__).with_name("signatures.json")

MODULES = (
    "sql",
    "sql.window",
    "sql.types",
    "sql.functions",
    "errors",
    "ml",
    "ml.base",
    "ml.feature",
    "ml.clustering",
    "ml.regression",
    "ml.classification",
    "ml.evaluation",
    "ml.fpm",
    "ml.functions",
    "ml.linalg",
    "ml.param",
    "ml.pipeline",
    "ml.recommendation",
    "ml.stat",
    "ml.tuning",
    "ml.util",
)


def signature(member):
    """Return the parameters of a callable as text, or None."""
    try:
        parameters = inspect.signature(member).parameters.values()
    except (TypeError, ValueError):
        return None
    shown = []
    for p in parameters:
        default = "" if p.default is p.empty else f"={default_text(p.default)}"
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        mark = "|" if p.kind == p.KEYWORD_ONLY else ""
        shown.append(f"{mark}{star}{p.name}{default}")
    return ", ".join(shown)


def default_text(value):
    """Return a default as text; an object has none that is the same twice."""
    plain = isinstance(value, (type(None), bool, int, float, str, bytes, tuple, list, dict))
    return repr(value) if plain else "…"


def members(cls):
    out = {}
    for name, _ in inspect.getmembers(cls):
        owner = next((c for c in cls.__mro__ if name in vars(c)), cls)
        if name.startswith("_") or owner.__module__ == "builtins":
            continue
        static = inspect.getattr_static(cls, name)
        if isinstance(static, (property, str, int, float, bool)) or not callable(
            getattr(cls, name, None)
        ):
            out[name] = "attribute"
        else:
            out[name] = signature(getattr(cls, name))
    return out


def describe(module):
    names = getattr(module, "__all__", None)
    if names is None:
        names = [n for n in dir(module) if not n.startswith("_")]
        names = [
            n for n in names if getattr(getattr(module, n), "__module__", "") == module.__name__
        ]
    out = {}
    for name in sorted(names):
        value = getattr(module, name)
        if inspect.isclass(value):
            constructor = signature(value) if "__init__" in vars(value) else None
            out[name] = {"": constructor, **members(value)}
        elif callable(value):
            out[name] = signature(value)
    return out


def differences(package):
    """Compare a package with what is recorded: (module, name, what PySpark has, what the package has or None)."""
    wanted = json.loads(DATA.read_text(encoding="utf-8"))
    for module, names in wanted.items():
        ours = importlib.import_module(f"{package}.{module}")
        for name, want in names.items():
            value = getattr(ours, name, None)
            if value is None:
                yield module, name, want, None
            elif not isinstance(want, dict):
                if signature(value) != want:
                    yield module, name, want, signature(value)
            elif value.__new__.__name__ != "refuse":  # a stand-in for a class that is not built
                have = {"": signature(value) if "__init__" in vars(value) else None}
                have.update(members(value))
                for member, text in want.items():
                    if member and have.get(member) != text:
                        yield module, f"{name}.{member}", text, have.get(member)


if __name__ == "__main__":
    found = {name: describe(importlib.import_module(f"pyspark.{name}")) for name in MODULES}
    DATA.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
