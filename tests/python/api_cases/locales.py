# SPDX-License-Identifier: Apache-2.0
"""The option `locale` of CSV and JSON: decimals, and names in dates."""

TAGS = ["en-US", "en-GB", "pt-BR", "PT", "pt-PT", "es-ES", "fr-FR", "de-DE", "it-IT", "nl", "pt_BR"]
NUMBERS = [
    "1234", "1.234", "1,234", "1.234,56", "1,234.56", "1\u202f234,5", "1\u00a0234,5", "-5", "+5",
    "1e3", "1E3", "1E-2", "1E", "5,", "5.", ",5", ".5", "1..2", "1,,2", ".", "-", "-,5", "1.2.3,4",
    "1,2.3", " 1", "5,.3", "99999999,99999",
]  # fmt: skip
PATTERNS = ["MMMM", "MMM", "LLL", "EEEE", "E", "G", "GGGG", "QQQ", "QQQQ"]


def numbers(s, F, W, tag):
    options = {"locale": tag, "sep": "~"}
    d = s.createDataFrame([(x,) for x in NUMBERS], "x string")
    json = F.concat(F.lit('{"a":"'), "x", F.lit('"}'))
    return d.select(
        "x",
        F.from_csv("x", "a decimal(12,4)", options).a,
        F.from_csv("x", "a decimal(38,2)", options).a,
        F.from_json(json, "a decimal(12,4)", options).a,
    )


def names(s, F, W, tag):
    day = F.expr("add_months(date'2020-01-15', int(id))")
    texts = [
        F.to_csv(F.struct(day), {"dateFormat": p, "locale": tag, "quote": "~"}).alias(p)
        for p in PATTERNS
    ]
    half = F.expr("timestamp'2020-01-15 01:00:00' + make_dt_interval(0, int(id) * 12)")
    return s.range(12).select(
        "id",
        *texts,
        F.to_json(F.struct(half.alias("t")), {"timestampFormat": "hh:mm a", "locale": tag}).alias(
            "a"
        ),
    )


def back(s, F, W, tag, pattern):
    options = {"dateFormat": pattern, "locale": tag, "quote": "~"}
    d = s.range(12).select(F.expr("add_months(date'2020-01-15', int(id)) d"))
    return d.select(
        F.from_csv(F.to_csv(F.struct("d"), options), "d date", options).d,
        F.from_json(F.to_json(F.struct("d"), options), "d date", options).d,
    )


CASES = {
    **{f"numbers {t}": (lambda s, F, W, t=t: numbers(s, F, W, t)) for t in TAGS},
    **{f"names {t}": (lambda s, F, W, t=t: names(s, F, W, t)) for t in TAGS},
    **{
        f"{p} {t}": (lambda s, F, W, t=t, p=p: back(s, F, W, t, p))
        for t in TAGS
        for p in ("dd MMMM yyyy", "dd/MMM/yy", "LLLL yyyy")
    },
    **{
        f"schema of {x} {t}": (
            lambda s, F, W, t=t, x=x: s.range(1).select(
                F.schema_of_csv(F.lit(x), {"locale": t, "sep": "~"})
            )
        )
        for t in ("en-US", "pt-BR")
        for x in ("1.234", "1,234", "1.234,5", "1.234.567.890.123.456")
    },
}
