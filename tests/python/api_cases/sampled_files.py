# SPDX-License-Identifier: Apache-2.0
"""Which lines of a file samplingRatio takes: each line makes one column, or one field, a double of its own."""

import os
import tempfile

LINES = 60


def csv_line(i, columns=LINES):
    return ",".join("1.5" if i == c else "1" for c in range(columns))


def json_line(i):
    return f'{{"f{i:02}": 1}}'


def with_others(line, header=""):
    """Put empty lines, blanks and comments between the lines: they are drawn for, too."""
    lines = [header] if header else []
    for i in range(LINES):
        lines += [""] * (i % 7 == 0) + ["  "] * (i % 11 == 0) + ["#c"] * (i % 5 == 0) + [line(i)]
        lines += [header] * (i % 13 == 0 and bool(header))
    return lines


def found(form, lines, end="\n", **options):
    """Make a case of the columns that are found in a sample."""

    def use(s, F, W):
        with tempfile.TemporaryDirectory(prefix="nbaspark-") as folder:
            os.chmod(folder, 0o755)
            path = os.path.join(folder, "lines")
            with open(path, "w", newline="") as file:
                file.write(end.join(lines))
            schema = s.read.options(**options).format(form).load(path).schema
            kind = "double" if form == "csv" else "bigint"
            return [f.name for f in schema if f.dataType.simpleString() == kind]

    return use


HEADER = ",".join(f"h{c}" for c in range(LINES))
SEQUENCE = [csv_line(i) for i in range(LINES)]
OBJECTS = [json_line(i) for i in range(LINES)]
SAMPLED = {"inferSchema": True}

CASES = {
    **{
        f"{form} {ratio}{' multiLine' * many}": found(
            form, lines, samplingRatio=ratio, multiLine=many, **options
        )
        for form, lines, options in (("csv", SEQUENCE, SAMPLED), ("json", OBJECTS, {}))
        for ratio in (1e-9, 0.05, 0.4, 0.41, 0.7, 0.99, 0.991)
        for many in (False, True)
    },
    **{
        f"csv with {name}": found(
            "csv", with_others(csv_line, HEADER), end, header=True, samplingRatio=0.5, **options
        )
        for name, end, options in (
            ("other lines", "\n", {"comment": "#"} | SAMPLED),
            ("\\r\\n", "\r\n", {"comment": "#"} | SAMPLED),
            ("\\r", "\r", {"comment": "#"} | SAMPLED),
            ("a separator", "|", {"comment": "#", "lineSep": "|"} | SAMPLED),
            ("several lines", "\n", {"comment": "#", "multiLine": True} | SAMPLED),
            ("no types", "\n", {"comment": "#"}),
        )
    },
    "json with blank lines": found(
        "json", [x for x in with_others(json_line) if x != "#c"], "\r\n", samplingRatio=0.5
    ),
    "json primitive": found("json", OBJECTS, samplingRatio=0.5, primitivesAsString=True),
}
