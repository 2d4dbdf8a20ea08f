# SPDX-License-Identifier: Apache-2.0
"""The stub beside the extension names what the extension has."""

import ast
from pathlib import Path

import nbaspark
from nbaspark import _core


def members(nodes):
    """Return the public names that a list of statements defines."""
    names = set()
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            names.add(node.target.id)
    return {n for n in names if not n.startswith("_") or n == "__arrow_c_stream__"}


def public(thing):
    return {n for n in vars(thing) if not n.startswith("_") or n == "__arrow_c_stream__"}


def test_stub_and_extension_agree():
    stub = Path(nbaspark.__file__).with_name("_core.pyi")
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    assert members(tree.body) == public(_core)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            assert members(node.body) == public(getattr(_core, node.name)), node.name
