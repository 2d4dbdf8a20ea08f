# SPDX-License-Identifier: Apache-2.0
"""Every option of CSV files, read and written, with values that are right, odd and wrong.

The tables give the values of an option that are tried one by one; what a case is of is its name.
"""

import glob
import os
import re
import tempfile

from nbaspark.errors import PySparkException

PEOPLE = (
    'id,name,d,ts,x\n1,"a b",2020-01-02,2020-01-02 03:04:05,1.5\n'
    "2,, 2021-02-03 ,2021-02-03T04:05:06Z,NaN\n"
    '3,"q""q",01/02/2022,bad,Infinity\n# c\n4,x,y\n'
)
TYPES = "id int,name string,d date,ts timestamp,x double"
TEXTS = "a string,b string,c string"
QUOTES = "1;'it''s';\\N\n2;'a|'b';-\n~c\n3;  sp  ;N/A\n"
BREAKS = '1,"a\nb"\r\n2,"c\rd"\r3,e'
LATIN = "é,ü|1,2|".encode("iso-8859-1")
TIMES = (
    "2020-01-02,2020-01-02 03:04:05\n 2021-2-3 ,2021-02-03T04:05:06Z\n01/02/2022,01/02/2022 05:06\n"
    "GMT2020-01-05,2020-01-05GMT 04:05\n2020-01-05T12:00GMT+01:00,2020-01-05T12:00:00GMT+01:00\n,\n"
)
FLAGS = ("true", "false", "x")

# Text, schema (None: found), options of all cases, and options with their values.
READ = {
    "texts": (
        PEOPLE,
        TEXTS,
        {},
        {
            "header": ("true", "FALSE", "maybe", "1"),
            "emptyValue": ("E", ""),
            "maxColumns": ("2", "20480", "0", "-1", "x"),
            "maxCharsPerColumn": ("3", "-1", "0", "x"),
            "pathGlobFilter": ("*.csv", "x*", "["),
            "recursiveFileLookup": ("true", "x"),
            "ignoreCorruptFiles": ("true", "x"),
            "modifiedBefore": ("2050-01-01T00:00:00", "1990-01-01T00:00:00", "x"),
            "modifiedAfter": ("2050-01-01T00:00:00", "1990-01-01T00:00:00", "x"),
        },
    ),
    "commas": (
        QUOTES,
        TEXTS,
        {},
        {"sep": (",", ";", "", "||", "\\t", "ab", "\\", "\\0", "\t", "\\\\", "é", "\\x")},
    ),
    "quotes": (
        QUOTES,
        TEXTS,
        {"sep": ";"},
        {
            "quote": ("'", "", "ab", '"', "\0", "\\"),
            "comment": ("~", "#", "", "ab"),
            "nullValue": ("\\N", "", "-"),
            "ignoreLeadingWhiteSpace": FLAGS,
            "ignoreTrailingWhiteSpace": FLAGS,
        },
    ),
    "single_quotes": (
        QUOTES,
        TEXTS,
        {"sep": ";", "quote": "'"},
        {
            "escape": ("|", "", "ab", "'"),
            "unescapedQuoteHandling": (
                "STOP_AT_CLOSING_QUOTE",
                "BACK_TO_DELIMITER",
                "STOP_AT_DELIMITER",
                "SKIP_VALUE",
                "RAISE_ERROR",
                "nope",
                "stop_at_delimiter",
            ),
        },
    ),
    "escapes": (
        QUOTES,
        TEXTS,
        {"sep": ";", "quote": "'", "escape": "|"},
        {"charToEscapeQuoteEscaping": ("|", "ab", "")},
    ),
    "types": (
        PEOPLE,
        TYPES,
        {"header": "true"},
        {
            "nanValue": ("N/A", "x", "NaN"),
            "positiveInf": ("Infinity", "x"),
            "negativeInf": ("Infinity", "x"),
            "dateFormat": (
                "yyyy-MM-dd",
                "dd/MM/yyyy",
                "MM/dd/yyyy",
                "bad pattern {",
                "yyyy",
                "YYYY-MM-dd",
            ),
            "timestampFormat": (
                "yyyy-MM-dd HH:mm:ss",
                "yyyy-MM-dd'T'HH:mm:ssX",
                "nope{",
                "yyyy-MM-dd HH:mm:ss[.SSS]",
            ),
            "mode": ("PERMISSIVE", "dropmalformed", "FAILFAST", "what"),
            "enforceSchema": FLAGS,
            "enableDateTimeParsingFallback": FLAGS,
            "timeZone": ("UTC", "America/Sao_Paulo", "nope", "+05:00"),
            "locale": ("en-US", "pt-BR", "x"),
        },
    ),
    "bad_records": (
        PEOPLE,
        TYPES + ",_corrupt_record string",
        {"header": "true"},
        {"mode": ("PERMISSIVE", "dropmalformed", "FAILFAST", "what")},
    ),
    "bad_column": (
        PEOPLE,
        TYPES + ",bad string",
        {"header": "true"},
        {"columnNameOfCorruptRecord": ("bad", "", "id")},
    ),
    "times": (TIMES, "d date,ts timestamp", {}, {"enableDateTimeParsingFallback": FLAGS}),
    "times_by_cast": (
        TIMES,
        "d date,ts timestamp",
        {"preferDate": "false"},
        {"enableDateTimeParsingFallback": FLAGS},
    ),
    "times_by_pattern": (
        TIMES,
        "d date,ts timestamp",
        {"dateFormat": "MM/dd/yyyy", "timestampFormat": "MM/dd/yyyy HH:mm"},
        {"enableDateTimeParsingFallback": FLAGS, "timeZone": ("America/Sao_Paulo",)},
    ),
    "times_by_fallback": (
        TIMES,
        "d date,ts timestamp",
        {"dateFormat": "c", "timestampFormat": "c", "enableDateTimeParsingFallback": "true"},
        {"timeZone": ("UTC", "America/Sao_Paulo")},
    ),
    "times_refused": (
        TIMES,
        "d date,ts timestamp",
        {"mode": "DROPMALFORMED"},
        {"dateFormat": ("YYYY", "{", "c"), "timestampFormat": ("YYYY", "{", "c")},
    ),
    "times_refused_late": (
        TIMES.split(" 2021")[0],
        "d date,ts timestamp",
        {"enableDateTimeParsingFallback": "true"},
        {"dateFormat": ("YYYY",), "timestampFormat": ("YYYY",)},
    ),
    "times_refused_never": (
        ",\n,\n",
        "d date,ts timestamp",
        {},
        {"dateFormat": ("YYYY",), "timestampFormat": ("YYYY",)},
    ),
    "times_found": (
        TIMES,
        None,
        {"inferSchema": "true"},
        {"dateFormat": ("YYYY", "MM/dd/yyyy"), "timestampFormat": ("YYYY", "MM/dd/yyyy HH:mm")},
    ),
    "found": (PEOPLE, None, {"header": "true"}, {"inferSchema": FLAGS}),
    "found_types": (
        PEOPLE,
        None,
        {"header": "true", "inferSchema": "true"},
        {"preferDate": FLAGS, "samplingRatio": ("1", "0.5", "0", "2", "x", "-1")},
    ),
    "line_breaks": (BREAKS, "a int,b string", {}, {"multiLine": FLAGS}),
    "line_seps": (
        LATIN,
        "a string,b string",
        {"encoding": "ISO-8859-1"},
        {"lineSep": ("|", "\\n", "", "abc", "ab", "\r\n")},
    ),
    "charsets": (
        LATIN,
        "a string,b string",
        {},
        {
            name: ("latin1", "utf-8", "windows-1252", "nope", "UTF-16", "")
            for name in ("encoding", "charset")
        },
    ),
}

# Options of all cases, and options with their values.
WRITE = (
    (
        {},
        {
            "sep": (",", "||", "", "\\t", "ab"),
            "quote": ("'", "", "ab"),
            "escape": ("'", "", "ab"),
            "comment": ("'", "", "ab"),
            "header": FLAGS,
            "quoteAll": FLAGS,
            "escapeQuotes": FLAGS,
            "ignoreLeadingWhiteSpace": FLAGS,
            "ignoreTrailingWhiteSpace": FLAGS,
            "nullValue": ("NULL", "", "\\N"),
            "emptyValue": ("NULL", "", "\\N"),
            "dateFormat": ("dd/MM/yy", "{", "yyyy"),
            "timestampFormat": ("dd/MM/yy", "{", "yyyy"),
            "compression": ("gzip", "none", "nope", "bzip2", "deflate", "GZIP"),
            "lineSep": ("|", "\r\n", "", "abc"),
            "encoding": ("utf-16", "latin1", "nope"),
            "timeZone": ("America/Sao_Paulo", "x"),
            "locale": ("fr",),
            "maxRecordsPerFile": ("1", "x", "-1"),
        },
    ),
    ({"escape": "'"}, {"charToEscapeQuoteEscaping": ("'", "", "ab")}),
)

ROWS = """VALUES (1, 'a b', DATE'2020-01-02', TIMESTAMP'2020-01-02 03:04:05'), (2, null, null, null),
(3, '', DATE'1999-12-31', null), (4, 'q"q\\'s', null, null), (5, ' #x,y', null, null),
(6, 'l\nm', null, null) AS t(id, s, d, ts)"""


def told(error):
    """Tell an exception without what is of this run, or of the JVM."""
    parameters = error.getMessageParameters() or {}
    known = error.getCondition() or ""
    name = None if known.startswith("_LEGACY_ERROR_ILLEGAL") else error.getCondition()
    text = parameters.get("message") or str(error)
    text = re.sub(r"^Job aborted due to stage failure: (Task .*?executor driver\): )?", "", text)
    text = re.sub(r"^\[\w+\] |^\(java[\w.]+\) | SQLSTATE.*", "", text.split("\n")[0])
    kind = type(error).__name__.replace("NumberFormat", "IllegalArgument")
    return kind, name, text if name is None else ""


def in_folder(use):
    """Make a case of a function that is given a fresh folder."""

    def case(s, F, W):
        with tempfile.TemporaryDirectory(prefix="nbaspark-") as folder:
            os.chmod(folder, 0o777)
            try:
                return use(s, os.path.join(folder, "out"))
            except PySparkException as error:
                return told(error)

    return case


def read(text, schema, options):
    def use(s, path):
        with open(path + ".csv", "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path + ".csv", 0o666)
        reader = s.read.options(**options)
        df = (reader.schema(schema) if schema else reader).csv(path + ".csv")
        return df.schema.simpleString(), [tuple(row) for row in df.collect()]

    return in_folder(use)


def written(options, query="SELECT * FROM " + ROWS):
    def use(s, path):
        s.sql(query).coalesce(1).write.options(**options).csv(path)
        files = sorted(glob.glob(path + "/part-*"))
        kinds = [re.sub(r".*-c\d+", "", f) for f in files]
        plain = [f for f in files if f.endswith(".csv")]
        return kinds, [open(f, encoding="latin-1", newline="").read() for f in plain]

    return in_folder(use)


CASES = {
    f"{theme}: {name}={value!r}": read(text, schema, {**given, name: value})
    for theme, (text, schema, given, options) in READ.items()
    for name, values in options.items()
    for value in values
} | {
    f"write: {name}={value!r}": written({**given, name: value})
    for given, options in WRITE
    for name, values in options.items()
    for value in values
}

CASES["write: bytes"] = written(
    {}, "SELECT * FROM VALUES (X'4142', 1), (X'', 2), (null, 3), (X'00FF0A', 4) AS t(v, i)"
)
CASES["write: bytes, quoted"] = written(
    {"quoteAll": True}, "SELECT X'4142' AS v, array(X'41') AS a"
)

# A quote that nothing escapes behind line breaks inside quotes: the value is given back in pieces.
CASES |= {
    f"back to a delimiter: {text!r} {more}": read(
        text,
        "a string,b string,c string,d string,e string,f string",
        {"multiLine": True, "unescapedQuoteHandling": "BACK_TO_DELIMITER"} | more,
    )
    for more in ({}, {"header": True}, {"comment": "#"})
    for text in (
        'a"b,c\n"a"b",c\n"a,b\nc,d\n"x""y",z\n"q\\"r",s',
        '"a,b\n"x,z\nl1,m1\nl2,m2\n',
        '"a,b\nc,d\ne,f\n"x,z\nl1,m1\n',
        '"a,b\nc,d\n"x""y",z\nl1,m1\nl2,m2\nl3,m3\n',
        '"a,b\nc,d\n"x""y",z\n',
        '"a,b\nc,d\n"x""y",z\n\nk,l\n',
        '"a,b\nc,d\n"x""y"\n',
        'p,"a,b\nc,d\n"x"",z\n"l1,m1\nl4,m4\n"l2,m2\n#q,r\nl3,m3',
        '"a,b\r\nc,d\r\n"x""y",z\r\nl1,m1\r\nl2,m2',
        '"a,b\nc,d\n"x""y",z\n#k,l\nm,n\n',
        '"a,b\n,"x,z\nl1,m1\nl2,m2\n',
        '"a,b\nc,d\n"x',
    )
}
