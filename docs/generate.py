#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the pages that come from tables: functions, configuration, error conditions, compatibility.

`docs/generate.py --check` compares instead, and fails when a page is out of date.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTE = "<!-- written by docs/generate.py; change the tables instead -->\n\n"
STRING = r'"(?:[^"\\]|\\.)*"'


def strings(text: str) -> list[str]:
    """C string literals of a row, unescaped; adjacent ones are one."""
    out: list[str] = []
    end = None
    for m in re.finditer(STRING, text):
        value = ast.literal_eval(m.group(0))
        if end is not None and not text[end : m.start()].strip():
            out[-1] += value
        else:
            out.append(value)
        end = m.end()
    return out


def rows(path: Path, macro: str) -> list[str]:
    """The arguments of each use of a macro in a .def file, as text."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", lambda m: " " * len(m.group(0)), text, flags=re.S)
    out = []
    for m in re.finditer(rf"^{macro}\(", text, flags=re.M):
        depth, at = 1, m.end()
        while depth:
            quoted = re.compile(STRING).match(text, at)
            if quoted:
                at = quoted.end()
                continue
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        out.append(text[m.end() : at - 1])
    return out


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def functions() -> dict[str, list[tuple[str, str, str, str]]]:
    """Family to rows of (names, help, example, result)."""
    out: dict[str, list[tuple[str, str, str, str]]] = {}
    for path in sorted((ROOT / "csrc/expr/functions").glob("*.def")):
        for macro in ("NB_FUNCTION", "NB_AGGREGATE"):
            for row in rows(path, macro):
                names, *rest = strings(row)
                help_text, example, result = (rest + ["", "", ""])[:3]
                if "NB_FN_NO_SQL" not in row and not names.startswith(("nb_", "nbaspark.")):
                    out.setdefault(path.stem, []).append((names, help_text, example, result))
    return out


def function_page() -> str:
    text = "# Functions\n\n" + NOTE
    families = functions()
    total = sum(len(names.split("|")) for rows_ in families.values() for names, *_ in rows_)
    text += (
        f"{total} names. They work in SQL text, in `expr` and through `nbaspark.sql.functions`.\n"
    )
    for family, list_ in families.items():
        text += f"\n## {family.replace('_', ' ')}\n\n| name | gives | example | result |\n|---|---|---|---|\n"
        for names, help_text, example, result in sorted(list_):
            shown = ", ".join(f"`{n}`" for n in names.replace("||", "| |").split("|") if n.strip())
            text += f"| {cell(shown)} | {cell(help_text)} | {f'`{cell(example)}`' if example else ''} | {cell(result)} |\n"
    return text


def configuration_page() -> str:
    text = "# Configuration\n\n" + NOTE
    text += (
        "Read from `spark-defaults.conf` (`$SPARK_CONF_DIR`, `$NBASPARK_HOME/conf`, `$SPARK_HOME/conf`), then the environment,\n"
        "then `SparkSession.builder.config`; later wins. Other keys are kept as text and have no effect.\n\n"
        "| key | type | default | changed at run time | meaning |\n|---|---|---|---|---|\n"
    )
    for row in rows(ROOT / "csrc/base/config.def", "NB_CONF"):
        key, *values = strings(row)
        kind = row.split(",")[2].strip().lower()
        default = values[0] if len(values) > 1 else ""
        runtime = "no" if re.search(r",\s*STATIC\s*,", row) else "yes"
        text += f"| `{key}` | {kind} | {f'`{cell(default)}`' if default else ''} | {runtime} | {cell(values[-1])} |\n"
    return text


def absent_methods() -> list[tuple[str, str]]:
    """(class, method) of what exists only to say that it is not built."""
    out = []
    for path in sorted((ROOT / "python/nbaspark").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        owners = [
            (node.name, node.body) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
        ]
        module = ".".join(path.relative_to(ROOT / "python").with_suffix("").parts)
        owners.append((module.removesuffix(".__init__"), tree.body))
        for owner, body in owners:
            for f in body:
                if not isinstance(f, ast.FunctionDef) or f.name.startswith("_"):
                    continue
                code = [
                    s
                    for s in f.body
                    if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
                ]
                if (
                    len(code) == 1
                    and isinstance(code[0], ast.Raise)
                    and "not_implemented" in ast.dump(code[0])
                ):
                    out.append((owner.removesuffix("Absent"), f.name))
    return sorted(set(out))


def missing_functions() -> list[str]:
    """Names in nbaspark.sql.functions whose SQL function the engine does not have."""
    have = {
        n.lower() for list_ in functions().values() for names, *_ in list_ for n in names.split("|")
    }
    have |= {
        "explode",
        "explode_outer",
        "posexplode",
        "posexplode_outer",
        "inline",
        "inline_outer",
        "stack",
        "grouping",
        "grouping_id",
        "session_window",
        "window",
        "window_time",
        "json_tuple",
        "broadcast",
    }
    used: dict[str, set[str]] = {}
    for path in sorted((ROOT / "python/nbaspark/sql/functions").glob("*.py")):
        if path.stem == "python_udf":  # calls no function of the engine
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                calls = {
                    c.args[0].value
                    for c in ast.walk(node)
                    if isinstance(c, ast.Call)
                    and c.args
                    and isinstance(c.args[0], ast.Constant)
                    and isinstance(c.args[0].value, str)
                }
                used[node.name] = calls
    out = []
    for name, calls in used.items():
        names = {c.lower() for c in calls if re.fullmatch(r"[a-z_0-9]+", c.lower())}
        if names and not (names & have) and name.lower() not in have:
            out.append(name)
    return sorted(out)


def refused_in_engine() -> list[str]:
    """What the analyzer refuses by name (nb_raise_unsupported with a constant text)."""
    out = set()
    for folder in ("plan", "connect", "exec", "expr", "io", "ml"):
        for path in sorted((ROOT / "csrc" / folder).rglob("*.c")):
            text = path.read_text(encoding="utf-8")
            for m in re.finditer(
                rf"nb_raise_unsupported\(\s*\w+(?:->\w+)?,\s*((?:{STRING}\s*)+)\)", text
            ):
                out.add("".join(strings(m.group(1))))
    return sorted(out)


def missing_names() -> dict[str, list[str]]:
    """What PySpark has and nbaspark does not, by module."""
    path = ROOT / "tests/data/oracle/record_signatures.py"
    spec = importlib.util.spec_from_file_location("record_signatures", path)
    assert spec is not None and spec.loader is not None
    recorder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recorder)
    out: dict[str, list[str]] = {}
    for module, name, _, have in recorder.differences("nbaspark"):
        if have is None:
            out.setdefault(module, []).append(name)
    return out


def compatibility_page() -> str:
    text = "# Compatibility with PySpark 4.2\n\n" + NOTE
    text += (
        "Names, signatures, defaults, error conditions and the layout of `show()` follow PySpark 4.2 with ANSI mode on. What is not built raises\n"
        "`PySparkNotImplementedError` naming itself. Functions that work are listed in [functions.md](functions.md), configuration in\n"
        "[configuration.md](configuration.md).\n\n## Functions of `nbaspark.sql.functions` that the engine does not have\n\n"
    )
    missing = missing_functions()
    text += (
        f"{len(missing)}: "
        + ", ".join(f"`{n}`" for n in missing)
        + "\n\n## Methods that are not built\n\n"
    )
    by_owner: dict[str, list[str]] = {}
    for owner, name in absent_methods():
        by_owner.setdefault(owner, []).append(name)
    for owner, names in sorted(by_owner.items()):
        text += f"- `{owner}`: " + ", ".join(f"`{n}`" for n in names) + "\n"
    text += (
        "\n## Names of PySpark 4.2 that are not there\n\nAs recorded in tests/data/oracle/signatures.json; everything else has PySpark's parameters and "
        "defaults. Classes that can be imported\nand raise when they are made are not in this list.\n\n"
    )
    for module, names in missing_names().items():
        text += f"- `{module}`: " + ", ".join(f"`{n}`" for n in names) + "\n"
    text += "\n## Plans that are refused\n\n"
    text += "".join(f"- {t}\n" for t in refused_in_engine())
    return text


def error_page() -> str:
    text = "# Error conditions\n\n" + NOTE + "| condition | SQLSTATE | message |\n|---|---|---|\n"
    for row in sorted(rows(ROOT / "csrc/base/error_conditions.def", "NB_CONDITION")):
        name, state, *message = strings(row)
        if not name:  # what other processes raise
            continue
        text += f"| `{name}` | {state} | {cell(''.join(message))} |\n"
    return text


def main() -> int:
    pages = {
        "functions.md": function_page(),
        "configuration.md": configuration_page(),
        "compatibility.md": compatibility_page(),
        "error-conditions.md": error_page(),
    }
    stale = []
    for name, text in pages.items():
        path = ROOT / "docs" / name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"out of date: {', '.join(stale)}; run ./dev docs", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
