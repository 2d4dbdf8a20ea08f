# SPDX-License-Identifier: Apache-2.0
"""JSON files read and written: every option with a value that is not the default, schemas found and given, bad records."""

import glob
import os
import re
import tempfile

from nbaspark.errors import PySparkException


def in_folder(use):
    """Make a case of a function that is given a fresh path; errors are told without it."""

    def case(s, F, W):
        with tempfile.TemporaryDirectory(prefix="nbaspark-") as folder:
            os.chmod(folder, 0o777)
            try:
                return use(s, F, os.path.join(folder, "out"))
            except PySparkException as error:
                reason = (error.getMessageParameters() or {}).get("message") or str(error)
                known = (error.getCondition() or "").startswith("_LEGACY_ERROR_ILLEGAL")
                name = None if known else error.getCondition()
                first = reason.split("\n")[0] if name is None else ""
                kind = type(error).__name__.replace("NumberFormat", "IllegalArgument")
                return kind, name, re.sub(r"^\[\w+\] | SQLSTATE.*", "", first)

    return case


def kept(df):
    return df.schema.simpleString(), [tuple(row) for row in df.collect()]


def read(text, schema=None, **options):
    """Make a case of a file that is read with options."""

    def use(s, F, path):
        with open(path + ".json", "wb") as file:
            data = (
                text if isinstance(text, bytes) else text.encode(options.get("encoding", "utf-8"))
            )
            file.write(data)
        os.chmod(path + ".json", 0o666)
        reader = s.read.options(**options)
        return kept((reader.schema(schema) if schema else reader).json(path + ".json"))

    return in_folder(use)


def written(build, **options):
    """Make a case of the text that a DataFrame is written as."""

    def use(s, F, path):
        build(s, F).coalesce(1).write.options(**options).json(path)
        files = sorted(glob.glob(path + "/part-*"))
        kinds = [os.path.basename(f).rsplit("c000", 1)[1] for f in files]
        if any(not k.endswith("json") for k in kinds):
            return kinds, kept(s.read.json(path))
        encoding = options.get("encoding", "utf-8")
        return kinds, "".join(open(f, encoding=encoding, newline="").read() for f in files)

    return in_folder(use)


def kinds(s, F):
    """Return one row of everything that JSON has a form for, and one of nulls."""
    return s.sql(
        "SELECT 1Y a, 2S b, 3 c, 4L d, 1.5F e, CAST('NaN' AS double) f, 1.50BD g, true h, 'é\"\\n😀' i, "
        "X'6869' j, DATE'2020-01-02' k, TIMESTAMP'2020-01-02 03:04:05.678' l, "
        "TIMESTAMP_NTZ'2020-01-02 03:04:05' m, array(1, null) n, map('x', 1, 'y', null) o, "
        "named_struct('p', 1, 'q', CAST(null AS int)) p, CAST(null AS string) q "
        "UNION ALL SELECT null, null, null, null, null, null, null, null, null, null, null, null, null,"
        " null, null, null, 'last'"
    )


BASIC = (
    '{"a":1,"b":"x","c":1.5,"d":true,"e":null}\n'
    '{"b":"y","a":22222222222,"f":[1,2],"g":{"x":1}}\n\n{"a":"str"}\n'
)
BAD = '{"a":1}\n{"a":\n[1,2]\n"x"\n{"a":2}x\n{"a":"z","b":3}\n{"b":4,"a":{}}\n'
NULLS = '{"a":null,"b":[],"c":{},"d":[null],"e":{"x":null},"f":1}\n'

CASES = {
    "infer": read(BASIC),
    "infer_strings": read(BASIC, primitivesAsString=True),
    "infer_decimals": read('{"a":1.5,"b":123456789012345678901,"c":"2.25"}\n', prefersDecimal=True),
    "infer_decimals_negative": read('{"a":1.5}\n{"a":1e10}\n', prefersDecimal=True),
    "infer_numbers": read(
        '{"a":1.5,"b":123456789012345678901,"c":1e10,"d":1234567890123456789012345678901234567890123}\n'
    ),
    "infer_mixed": read('{"a":1,"b":1}\n{"a":1.5,"b":1.5}\n{"a":true}\n'),
    "infer_nested": read('{"a":[1]}\n{"a":{"x":1}}\n{"a":[1.5,"x"]}\n'),
    "infer_arrays": read('{"a":[1]}\n{"a":[1.5]}\n{"a":[[1]]}\n{"b":[{"x":1},{"y":2}]}\n'),
    "infer_order": read('{"z":1,"b":2,"a":3}\n'),
    "infer_deep": read('{"a":' * 5 + "1" + "}" * 5 + "\n"),
    "infer_sampled": read('{"a":1}\n' * 20, samplingRatio=0.9),
    "infer_names_by_case": read('{"A":1,"a":2}\n'),
    "infer_names_twice": read('{"a":1,"b":[{"c":1}],"a":2}\n'),
    "infer_timestamps": read(
        '{"a":"2020-01-02 03:04:05","b":"2020-01-02","c":"x"}\n', inferTimestamp=True
    ),
    "infer_nulls": read(NULLS),
    "infer_nulls_dropped": read(NULLS, dropFieldIfAllNull=True),
    "infer_nothing": read(""),
    "infer_blank": read("\n\n  \n"),
    "schema_of_nothing": read("", "a int"),
    "schema_not_null": read('{"a":1}\n{}\n', "a int not null"),
    "schema_by_case": read('{"A":1}\n', "a int"),
    "schema_types": read(
        '{"a":1,"b":2,"c":3,"d":4.5,"e":"5","f":true,"g":"aGk=","h":1.5,"i":{"k":1},'
        '"j":[{"x":1},null]}\n',
        "a byte, b short, c long, d float, e string, f boolean, g binary, h decimal(5,2), "
        "i map<string,int>, j array<struct<x:int,y:string>>",
    ),
    "schema_misfits": read(
        '{"a":"1","b":1.5,"c":"x","d":"NaN","e":5,"f":"true","h":"1.50"}\n{"a":[1],"b":{},"h":"x"}\n',
        "a int, b int, c long, d float, e string, f boolean, h decimal(5,2)",
    ),
    "schema_strings": read(
        '{"a":{"x": 1,"y":[1, 2.50]},"b":[1,  {"z":null}],"c":1.10,"d":true}\n',
        "a string, b string, c string, d string",
    ),
    "schema_parts": read(
        '{"a":1,"b":"x","c":{"d":"q","e":5}}\n{"a":"z","b":"x","c":{"d":"q","e":"w"}}\n',
        "a int, b string, c struct<d:string,e:int>",
    ),
    "dates": read(
        '{"a":"2020-01-02","b":"2020-01-02 03:04:05"}\n{"a":"x","b":1}\n', "a date, b timestamp"
    ),
    "dates_by_pattern": read(
        '{"a":"02/01/2020","b":"02.01.2020 03:04","c":"2020-01-02T03:04:05"}\n{"a":"2020-01-02"}\n',
        "a date, b timestamp, c timestamp_ntz",
        dateFormat="dd/MM/yyyy",
        timestampFormat="dd.MM.yyyy HH:mm",
    ),
    "time_zone": read('{"b":"2020-01-02 03:04:05"}\n', "b timestamp", timeZone="America/Sao_Paulo"),
    "bad_inferred": read(BAD),
    "bad_kept": read(BAD, "a int, b int, _corrupt_record string"),
    "bad_nulls": read(BAD, "a int, b int"),
    "bad_dropped": read(BAD, "a int, b int", mode="DROPMALFORMED"),
    "bad_dropped_inferred": read(BAD, mode="DROPMALFORMED"),
    "bad_fails": read(BAD, "a int", mode="FAILFAST"),
    "bad_fails_inferred": read(BAD, mode="FAILFAST"),
    "bad_cell_fails": read('{"a":1}\n{"a":"z"}\n', "a int", mode="FAILFAST"),
    "bad_column_named": read('{"a":1}\n{"a":\n', columnNameOfCorruptRecord="bad"),
    "bad_only": read('{"a":\n'),
    "mode_unknown": read('{"a":1}\n', mode="X"),
    "lines_of_arrays": read('[{"a":1},{"a":2}]\n{"a":3}\n[]\n'),
    "lines_of_arrays_schema": read('[{"a":1},{"a":2}]\n{"a":3}\n[]\n[1]\n[null]\nnull\n', "a int"),
    "multi_line_array": read('[{"a":1},\n{"a":2,"b":[1.5]}]', multiLine=True),
    "multi_line_object": read('{\n "a":1,\n "b":{"c":\n2}}', multiLine=True),
    "multi_line_two": read('{"a":1}\n{"a":2}', multiLine=True),
    "multi_line_bad": read('{"a":1,', multiLine=True),
    "comments": read('{"a":/*x*/1}\n{"a":2//y\n}\n', allowComments=True),
    "comments_refused": read('{"a":/*x*/1}\n{"a":1}\n'),
    "bare_names": read("{a:1}\n", allowUnquotedFieldNames=True),
    "bare_names_refused": read('{a:1}\n{"a":1}\n'),
    "single_quotes": read("{'a':'x'}\n"),
    "single_quotes_refused": read("{'a':'x'}\n{\"a\":1}\n", allowSingleQuotes=False),
    "leading_zeros": read('{"a":007}\n', allowNumericLeadingZeros=True),
    "leading_zeros_refused": read('{"a":007}\n{"a":1}\n'),
    "leading_zeros_text": read('{"a":01}\n{"a":1}\n', "a string, _corrupt_record string"),
    "not_finite": read('{"a":NaN}\n{"a":Infinity}\n{"a":-INF}\n{"a":+INF}\n{"a":-Infinity}\n'),
    "not_finite_refused": read('{"a":NaN}\n{"a":1}\n', allowNonNumericNumbers=False),
    "any_escape": read('{"a":"\\$x"}\n', allowBackslashEscapingAnyCharacter=True),
    "any_escape_refused": read('{"a":"\\$x"}\n{"a":1}\n'),
    "controls": read('{"a":"x\ty"}\n', allowUnquotedControlChars=True),
    "controls_refused": read('{"a":"x\ty"}\n{"a":1}\n'),
    "escapes": read('{"a":"\\u00e9\\ud83d\\ude00\\n\\t\\/"}\n'),
    "numbers": read(
        '{"a":1e400,"b":-0.0,"c":1E5,"d":100000000000000000000000000000000000000000}\n'
    ),
    "nesting": read('{"a":{"b":{"c":1}}}\n{"a":1}\n', maxNestingDepth=2),
    "utf_16_lines": read('{"a":"é"}\n{"a":"ü"}\n', encoding="UTF-16LE", lineSep="\n"),
    "utf_16_whole": read('{"a":"é"}', encoding="UTF-16", multiLine=True),
    "utf_16_refused": read('{"a":"é"}\n', encoding="UTF-16LE"),
    "latin_1": read('{"a":"é"}\n', encoding="ISO-8859-1", lineSep="\n"),
    "latin_1_refused": read('{"a":"é"}\n', encoding="ISO-8859-1"),
    "byte_order_mark": read(b'\xef\xbb\xbf{"a":1}\n'),
    "line_sep": read('{"a":1}|{"a":2}|', lineSep="|"),
    "line_sep_long": read('{"a":1}||{"a":2}||', lineSep="||"),
    "line_sep_empty": read('{"a":1}', lineSep=""),
    "line_breaks": read('{"a":1}\r\n{"a":2}\r{"a":3}\n \n'),
    "option_no_boolean": read('{"a":1}\n', multiLine="x"),
    "option_no_boolean_2": read('{"a":1}\n', primitivesAsString="x"),
    "option_ratio": read('{"a":1}\n', samplingRatio=0.0),
    "write": written(kinds),
    "write_nulls": written(kinds, ignoreNullFields=False),
    "write_ascii": written(kinds, writeNonAsciiCharacterAsCodePoint=True),
    "write_patterns": written(
        kinds,
        dateFormat="dd/MM/yyyy",
        timestampFormat="dd.MM.yyyy HH:mm",
        timestampNTZFormat="HH:mm",
        timeZone="America/Sao_Paulo",
    ),
    "write_line_sep": written(lambda s, F: s.range(3), lineSep="|"),
    "write_utf_16": written(kinds, encoding="UTF-16LE"),
    "write_gzip": written(lambda s, F: s.range(3), compression="gzip"),
    "write_bzip2": written(lambda s, F: s.range(3), compression="bzip2"),
    "write_no_codec": written(lambda s, F: s.range(3), compression="x"),
    "write_empty": written(lambda s, F: s.range(0)),
    "partitions": in_folder(
        lambda s, F, p: (
            s.range(4).selectExpr("id", "id % 2 AS p").write.partitionBy("p").json(p),
            sorted(s.read.json(p).collect()),
        )[1]
    ),
    "columns": in_folder(
        lambda s, F, p: (
            s.range(3, numPartitions=1).selectExpr("id a", "id + 1 b", "id + 2 c").write.json(p),
            s.read.json(p).select("c").collect(),
            s.read.json(p).count(),
            s.read.json(p).where("b > 1").select("a").collect(),
        )[1:]
    ),
    "texts": lambda s, F, W: kept(
        s.read.json(
            s.createDataFrame(
                [('{"a":1,\n "b":"x"}',), (None,), ("",), ('[{"a":2},{"b":"y"}]',), ("{",)],
                "t string",
            ).coalesce(1)
        )
    ),
    "texts_schema": lambda s, F, W: kept(
        s.read.schema("a int, _corrupt_record string").json(
            s.createDataFrame([('{"a":1}',), ('{"a":"x"}',)], "t string").coalesce(1)
        )
    ),
    "texts_of_csv": lambda s, F, W: kept(
        s.read.csv(
            s.createDataFrame([("a;b",), ("1;x",), ("2;'y;z'",)], "t string").coalesce(1),
            header=True,
            inferSchema=True,
            sep=";",
            quote="'",
        )
    ),
    "texts_of_csv_lines": lambda s, F, W: kept(
        s.read.schema("a int, b string").csv(
            s.createDataFrame([('1,"x\ny"',), ("2,z",)], "t string").coalesce(1)
        )
    ),
    "texts_joined": lambda s, F, W: (
        s.read.json(s.range(100).selectExpr("to_json(struct(id, id % 3 AS k))"))
        .groupBy("k")
        .count()
        .orderBy("k")
    ),
    "table": in_folder(
        lambda s, F, p: (
            s.sql(f"CREATE OR REPLACE TEMPORARY VIEW json_v USING json OPTIONS (path '{p}.json')")
            if open(p + ".json", "w").write('{"a":1}\n') and os.chmod(p + ".json", 0o666) is None
            else None,
            s.table("json_v").collect(),
            s.sql(f"SELECT a + 1 b FROM json.`{p}.json`").collect(),
        )[1:]
    ),
}
