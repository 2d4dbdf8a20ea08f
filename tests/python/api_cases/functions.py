# SPDX-License-Identifier: Apache-2.0
"""Scalar functions: numbers, text, dates, arrays and maps."""


def one(s, *cols):
    return s.range(1).select(*cols)


def over(s, ddl, rows, *cols):
    return s.createDataFrame(rows, ddl).select(*cols)


NUMBERS = [(-2.5,), (0.0,), (2.5,), (3.5,), (None,), (float("nan"),)]
TEXTS = [("  Hello World ",), ("",), ("áÉ ß",), (None,)]
DATES = "2020-02-29"

CASES = {
    "round": lambda s, F, W: over(
        s, "x double", NUMBERS, F.round("x"), F.bround("x"), F.rint("x"), F.round("x", 1)
    ),
    "round_int": lambda s, F, W: one(
        s, F.round(F.lit(1255), -1), F.bround(F.lit(25), -1), F.round(F.lit(5))
    ),
    "round_decimal": lambda s, F, W: s.sql(
        "select round(2.345, 2), round(cast(2.5 as decimal(5,1)))"
    ),
    "ceil_floor": lambda s, F, W: over(s, "x double", NUMBERS[:5], F.ceil("x"), F.floor("x")),
    "abs_sign": lambda s, F, W: over(
        s, "x double", NUMBERS, F.abs("x"), F.signum("x"), F.negative("x")
    ),
    "abs_int": lambda s, F, W: one(s, F.abs(F.lit(-5)), F.sign(F.lit(-5))),
    "roots": lambda s, F, W: one(s, F.sqrt(F.lit(2.0)), F.cbrt(F.lit(27.0)), F.sqrt(F.lit(-1.0))),
    "exponential": lambda s, F, W: one(
        s, F.round(F.exp(F.lit(1.0)), 9), F.expm1(F.lit(0.0)), F.pow(F.lit(2), 10)
    ),
    "logarithms": lambda s, F, W: one(
        s,
        F.log(F.lit(1.0)),
        F.log10(F.lit(1000.0)),
        F.log2(F.lit(8.0)),
        F.log1p(F.lit(0.0)),
        F.log(F.lit(0.0)),
        F.log(2.0, F.lit(8.0)),
    ),
    "trigonometry": lambda s, F, W: one(
        s,
        *(
            F.round(f(F.lit(0.5)), 9)
            for f in (F.sin, F.cos, F.tan, F.asin, F.acos, F.atan, F.sinh, F.cosh, F.tanh, F.cot)
        ),
        F.round(F.atan2(F.lit(1.0), F.lit(2.0)), 9),
        F.round(F.degrees(F.lit(1.0)), 9),
        F.round(F.radians(F.lit(90.0)), 9),
    ),
    "hypot_pmod": lambda s, F, W: one(s, F.hypot(F.lit(3), F.lit(4)), F.pmod(F.lit(-7), F.lit(3))),
    "greatest_least": lambda s, F, W: one(
        s, F.greatest(F.lit(1), F.lit(3), F.lit(None)), F.least(F.lit("b"), F.lit("a"))
    ),
    "bases": lambda s, F, W: one(
        s,
        F.bin(F.lit(13)),
        F.hex(F.lit(255)),
        F.hex(F.lit("Az")),
        F.unhex(F.lit("417A")),
        F.conv(F.lit("ff"), 16, 10),
    ),
    "bits": lambda s, F, W: one(
        s,
        F.shiftleft(F.lit(5), 2),
        F.shiftright(F.lit(-8), 1),
        F.shiftrightunsigned(F.lit(-8), 1),
        F.bitwise_not(F.lit(5)),
        F.bit_count(F.lit(7)),
    ),
    "factorial": lambda s, F, W: one(s, F.factorial(F.lit(5)), F.factorial(F.lit(21))),
    "try_arithmetic": lambda s, F, W: one(
        s,
        F.try_divide(F.lit(1), F.lit(0)),
        F.try_add(F.lit(2147483647), F.lit(1)),
        F.try_subtract(F.lit(3), F.lit(1)),
    ),
    "nan_and_null": lambda s, F, W: over(
        s,
        "x double",
        NUMBERS,
        F.isnan("x"),
        F.isnull("x"),
        F.nanvl("x", F.lit(9.0)),
        F.coalesce("x", F.lit(7.0)),
    ),
    "null_functions": lambda s, F, W: one(
        s,
        F.nvl(F.lit(None), F.lit(1)),
        F.nvl2(F.lit(None), F.lit(1), F.lit(2)),
        F.nullif(F.lit(3), F.lit(3)),
        F.ifnull(F.lit(None), F.lit("x")),
        F.coalesce(F.lit(None), F.lit(None)),
    ),
    "hashes": lambda s, F, W: one(
        s,
        F.hash(F.lit(1), F.lit("a")),
        F.hash(F.lit(None)),
        F.xxhash64(F.lit(1), F.lit("a")),
        F.md5(F.lit("a")),
        F.sha1(F.lit("a")),
        F.sha2(F.lit("a"), 256),
        F.crc32(F.lit("a")),
    ),
    "hash_types": lambda s, F, W: s.sql(
        "select hash(true), hash(1S), hash(2L), hash(1.5D), hash(1.5F), hash(date'2020-01-01'), "
        "hash(cast(1.5 as decimal(5,2))), hash(-0.0D), hash('')"
    ),
    "case": lambda s, F, W: over(s, "t string", TEXTS, F.upper("t"), F.lower("t"), F.initcap("t")),
    "trim": lambda s, F, W: over(
        s, "t string", TEXTS, F.trim("t"), F.ltrim("t"), F.rtrim("t"), F.length("t")
    ),
    "trim_characters": lambda s, F, W: one(
        s, F.trim(F.lit("xxaxx"), F.lit("x")), F.btrim(F.lit("xax"), F.lit("x"))
    ),
    "lengths": lambda s, F, W: over(
        s,
        "t string",
        TEXTS,
        F.char_length("t"),
        F.octet_length("t"),
        F.bit_length("t"),
        F.ascii("t"),
    ),
    "concat": lambda s, F, W: over(
        s,
        "t string",
        TEXTS,
        F.concat("t", F.lit("!")),
        F.concat_ws("-", "t", F.lit(None), F.lit("x")),
    ),
    "substring": lambda s, F, W: over(
        s,
        "t string",
        [("abcdef",)],
        F.substring("t", 2, 3),
        F.substring("t", -2, 2),
        F.substring("t", 0, 2),
        F.left("t", F.lit(2)),
        F.right("t", F.lit(2)),
    ),
    "substring_index": lambda s, F, W: one(
        s, F.substring_index(F.lit("a.b.c"), ".", 2), F.substring_index(F.lit("a.b.c"), ".", -1)
    ),
    "positions": lambda s, F, W: one(
        s,
        F.instr(F.lit("abcb"), "b"),
        F.locate("b", F.lit("abcb"), 3),
        F.locate("z", F.lit("abc")),
        F.position(F.lit("c"), F.lit("abc")),
    ),
    "padding": lambda s, F, W: one(
        s,
        F.lpad(F.lit("7"), 3, "0"),
        F.rpad(F.lit("abcd"), 2, "x"),
        F.lpad(F.lit("é"), 4, "ab"),
        F.repeat(F.lit("ab"), 3),
    ),
    "replace": lambda s, F, W: one(
        s,
        F.replace(F.lit("aXbX"), F.lit("X"), F.lit("-")),
        F.translate(F.lit("abc"), "ab", "1"),
        F.overlay(F.lit("abcdef"), F.lit("XY"), 3),
    ),
    "reverse": lambda s, F, W: one(
        s, F.reverse(F.lit("áb")), F.reverse(F.array(F.lit(1), F.lit(2)))
    ),
    "split": lambda s, F, W: one(
        s,
        F.split(F.lit("a,b,,c"), ","),
        F.split(F.lit("a1b2c"), "[0-9]", 2),
        F.split_part(F.lit("a.b.c"), F.lit("."), F.lit(2)),
    ),
    "regexp": lambda s, F, W: one(
        s,
        F.regexp_extract(F.lit("foo123bar"), r"(\d+)", 1),
        F.regexp_extract(F.lit("foo"), r"(\d+)", 1),
        F.regexp_replace(F.lit("a1b22"), r"\d+", "#"),
        F.regexp_replace(F.lit("ab"), "(a)(b)", "$2$1"),
        F.regexp_count(F.lit("a1b22"), F.lit(r"\d")),
        F.regexp_extract_all(F.lit("a1b22"), F.lit(r"(\d+)")),
    ),
    "regexp_bad": lambda s, F, W: one(s, F.regexp_replace(F.lit("a"), "(", "x")),
    "formats": lambda s, F, W: one(
        s,
        F.format_number(F.lit(1234567.891), 2),
        F.format_string("%d-%s-%.2f", F.lit(5), F.lit("x"), F.lit(1.5)),
    ),
    "levenshtein": lambda s, F, W: one(
        s, F.levenshtein(F.lit("kitten"), F.lit("sitting")), F.soundex(F.lit("Robert"))
    ),
    "base64": lambda s, F, W: one(s, F.base64(F.lit(b"abc")), F.unbase64(F.lit("YWJj"))),
    "starts_ends": lambda s, F, W: one(
        s,
        F.startswith(F.lit("abc"), F.lit("ab")),
        F.endswith(F.lit("abc"), F.lit("x")),
        F.contains(F.lit("abc"), F.lit("b")),
    ),
    "date_parts": lambda s, F, W: (
        s.createDataFrame([(DATES,)], "d string")
        .select(F.to_date("d").alias("d"))
        .select(
            *(
                f("d")
                for f in (
                    F.year,
                    F.month,
                    F.day,
                    F.dayofmonth,
                    F.dayofweek,
                    F.dayofyear,
                    F.quarter,
                    F.weekofyear,
                    F.weekday,
                    F.last_day,
                )
            )
        )
    ),
    "time_parts": lambda s, F, W: s.sql("select timestamp'2020-02-29 13:14:15.678' as t").select(
        F.hour("t"),
        F.minute("t"),
        F.second("t"),
        F.date_trunc("hour", "t"),
        F.date_trunc("month", "t"),
    ),
    "date_arithmetic": lambda s, F, W: s.sql("select date'2020-01-31' as d").select(
        F.date_add("d", 1),
        F.date_sub("d", 31),
        F.add_months("d", 1),
        F.datediff(F.lit("2020-03-01").cast("date"), "d"),
        F.months_between(F.lit("2020-03-31").cast("date"), "d"),
        F.trunc("d", "year"),
        F.next_day("d", "Mon"),
    ),
    "date_format": lambda s, F, W: s.sql("select timestamp'2020-02-09 03:04:05.006' as t").select(
        F.date_format("t", "yyyy/MM/dd HH:mm:ss.SSS"),
        F.date_format("t", "EEE d MMM yy, h:mm a"),
        F.date_format("t", "D 'day' Q"),
    ),
    "date_parsing": lambda s, F, W: one(
        s,
        F.to_date(F.lit("29/02/2020"), "dd/MM/yyyy"),
        F.to_timestamp(F.lit("2020-02-29 01:02:03")),
        F.to_timestamp(F.lit("29.2.2020 1:02"), "d.M.yyyy H:mm"),
        F.to_date(F.lit("2020-02-29")),
    ),
    "date_parsing_bad": lambda s, F, W: one(s, F.to_date(F.lit("x"), "yyyy-MM-dd")),
    "try_date_parsing": lambda s, F, W: one(
        s, F.try_to_timestamp(F.lit("x")), F.try_to_date(F.lit("x"))
    ),
    "unix_time": lambda s, F, W: one(
        s,
        F.unix_timestamp(F.lit("2020-01-01 00:00:00")),
        F.from_unixtime(F.lit(1577836800)),
        F.timestamp_seconds(F.lit(1577836800)),
        F.unix_date(F.lit("2020-01-01").cast("date")),
        F.to_date(F.timestamp_millis(F.lit(1577836800000))),
    ),
    "make_date": lambda s, F, W: one(
        s,
        F.make_date(F.lit(2020), F.lit(2), F.lit(29)),
        F.make_timestamp(F.lit(2020), F.lit(1), F.lit(2), F.lit(3), F.lit(4), F.lit(5.5)),
    ),
    "make_date_bad": lambda s, F, W: one(s, F.make_date(F.lit(2021), F.lit(2), F.lit(29))),
    "zones": lambda s, F, W: s.sql("select timestamp'2020-07-01 12:00:00' as t").select(
        F.from_utc_timestamp("t", "America/Sao_Paulo"), F.to_utc_timestamp("t", "Europe/Berlin")
    ),
    "array_making": lambda s, F, W: one(
        s,
        F.array(F.lit(1), F.lit(2.5)),
        F.sequence(F.lit(1), F.lit(5), F.lit(2)),
        F.array_repeat(F.lit("x"), 2),
        F.array(),
    ),
    "array_tests": lambda s, F, W: over(
        s,
        "l array<int>",
        [([3, 1, None, 1],), ([],), (None,)],
        F.size("l"),
        F.array_contains("l", 1),
        F.array_max("l"),
        F.array_min("l"),
        F.array_position("l", 1),
        F.sort_array("l"),
        F.sort_array("l", False),
        F.array_distinct("l"),
        F.array_remove("l", 1),
    ),
    "array_sets": lambda s, F, W: one(
        s,
        *(
            f(F.array(F.lit(1), F.lit(2)), F.array(F.lit(2), F.lit(3)))
            for f in (F.array_union, F.array_intersect, F.array_except, F.arrays_overlap, F.concat)
        ),
    ),
    "array_parts": lambda s, F, W: over(
        s,
        "l array<int>",
        [([1, 2, 3],)],
        F.element_at("l", 1),
        F.element_at("l", -1),
        F.slice("l", 2, 2),
        F.get("l", 9),
        F.array_append("l", 4),
        F.array_prepend("l", 0),
        F.array_insert("l", 2, 9),
        F.array_compact("l"),
        F.array_join(F.col("l").cast("array<string>"), ","),
    ),
    "array_flatten": lambda s, F, W: s.sql("select flatten(array(array(1,2),array(3)))"),
    "array_lambdas": lambda s, F, W: over(
        s,
        "l array<int>",
        [([1, 2, 3],)],
        F.transform("l", lambda x: x * 2),
        F.transform("l", lambda x, i: x + i),
        F.filter("l", lambda x: x > 1),
        F.exists("l", lambda x: x > 2),
        F.forall("l", lambda x: x > 0),
        F.aggregate("l", F.lit(0), lambda a, x: a + x),
        F.zip_with("l", "l", lambda a, b: a * b),
    ),
    "explode": lambda s, F, W: over(
        s, "i int, l array<string>", [(1, ["a", "b"]), (2, []), (3, None)], "i", F.explode("l")
    ),
    "explode_outer": lambda s, F, W: over(
        s,
        "i int, l array<string>",
        [(1, ["a", "b"]), (2, []), (3, None)],
        "i",
        F.explode_outer("l"),
    ),
    "posexplode": lambda s, F, W: over(s, "l array<string>", [(["a", "b"],)], F.posexplode("l")),
    "explode_map": lambda s, F, W: over(
        s, "m map<string,int>", [({"a": 1, "b": 2},)], F.explode("m")
    ),
    "maps": lambda s, F, W: over(
        s,
        "m map<string,int>",
        [({"a": 1, "b": None},)],
        F.map_keys("m"),
        F.map_values("m"),
        F.size("m"),
        F.map_contains_key("m", "a"),
        F.element_at("m", "a"),
    ),
    "map_making": lambda s, F, W: one(
        s,
        F.create_map(F.lit("a"), F.lit(1)),
        F.map_from_arrays(F.array(F.lit("k")), F.array(F.lit(2))),
    ),
    "struct_making": lambda s, F, W: over(
        s,
        "a int, b string",
        [(1, "x")],
        F.struct("a", "b"),
        F.struct(F.col("a").alias("z"), F.lit(5)),
        F.named_struct(F.lit("q"), F.col("a")),
    ),
    "json": lambda s, F, W: over(
        s,
        "j string",
        [('{"a": 1, "b": ["x"]}',), ("bad",), (None,)],
        F.get_json_object("j", "$.a"),
        F.get_json_object("j", "$.b[0]"),
        F.from_json("j", "a int, b array<string>"),
    ),
    "to_json": lambda s, F, W: over(
        s, "a int, b string", [(1, 'x"y'), (None, None)], F.to_json(F.struct("a", "b"))
    ),
    "monotonic_id": lambda s, F, W: (
        s.range(3).coalesce(1).select("id", F.monotonically_increasing_id().alias("m"))
    ),
    "partition_id": lambda s, F, W: (
        s.range(3).coalesce(1).select(F.spark_partition_id().alias("p"))
    ),
    "rand_range": lambda s, F, W: (
        s.range(100).select(F.rand(1).alias("r")).filter("r < 0 or r >= 1").count()
    ),
    "typeof": lambda s, F, W: one(
        s, F.typeof(F.lit(1)), F.typeof(F.array(F.lit("a"))), F.typeof(F.lit(None))
    ),
    "names": lambda s, F, W: (
        one(
            s,
            F.round(F.lit(1.5), 1),
            F.upper(F.lit("a")),
            F.concat(F.lit("a"), F.lit("b")),
            F.coalesce(F.lit(1), F.lit(2)),
            F.substring(F.lit("abc"), 1, 2),
            F.array(F.lit(1)),
            F.pow(F.lit(2), 3),
            F.log(F.lit(2.0)),
            F.isnull(F.lit(1)),
            F.when(F.lit(True), 1),
            F.expr("1 + 1"),
            F.date_add(F.lit("2020-01-01").cast("date"), 1),
            F.split(F.lit("a"), ","),
        ).columns
    ),
    "function_unknown": lambda s, F, W: one(s, F.call_function("nothing_here", F.lit(1))).schema,
    "function_argument_count": lambda s, F, W: (
        one(s, F.call_function("upper", F.lit("a"), F.lit("b"))).schema
    ),
    "function_argument_type": lambda s, F, W: one(s, F.year(F.array(F.lit(1)))).schema,
    "raise_error": lambda s, F, W: one(s, F.raise_error("stop here")),
    "assert_true": lambda s, F, W: one(s, F.assert_true(F.lit(False), "not so")),
}
