# SPDX-License-Identifier: Apache-2.0
"""Bad input, kind by kind: what test_bad_input.py runs.

A case is a function of the session, the functions module and a folder of its own. The folder holds `old`, the output of an
earlier job, which every case must leave whole. What a case returns, or raises, is compared with what Apache Spark gave.
"""

import gzip
import os
import zlib


def put(folder, text, name="x.csv"):
    """Write a file that any process may read, and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.chmod(path.parent, 0o777)
    os.chmod(path, 0o666)
    return str(path)


def rows(df):
    """Schema and rows of a DataFrame whose files are about to go."""
    return df.schema.simpleString(), [repr(row) for row in df.collect()]


def read(text, schema=None, name="x.csv", **options):
    """Case: a CSV file is read with these options."""
    return lambda s, F, p: rows(s.read.csv(put(p, text, name), schema=schema, **options))


def read_option(text="1,x\n", schema="a int, b string", **options):
    """Case: an option that `DataFrameReader.csv` has no argument for, or of the wrong type."""
    return lambda s, F, p: rows(
        s.read.options(**options).schema(schema).csv(put(p, text))
        if schema
        else s.read.options(**options).csv(put(p, text))
    )


def load(format, text, schema=None, name="x.txt", **options):
    """Case: a file of another format."""

    def case(s, F, p):
        reader = s.read.format(format).options(**options)
        return rows((reader.schema(schema) if schema else reader).load(put(p, text, name)))

    return case


def write(format="csv", frame=None, mode="overwrite", to="old", by=(), **options):
    """Case: a write on top of the old output that fails."""

    def case(s, F, p):
        df = frame(s) if frame else s.range(3).selectExpr("cast(id as string) as a")
        writer = df.coalesce(1).write.mode(mode).options(**options)
        (writer.partitionBy(*by) if by else writer).format(format).save(str(p / to))
        return "written"

    return case


def query(text):
    """Case: a statement that fails."""
    return lambda s, F, p: rows(s.sql(text))


def failing_rows(s):
    """Rows of which a late one divides by zero."""
    return s.range(0, 3000, 1, 1).selectExpr("cast(1000 div (2999 - id) as string) as a")


def vectors(s, values):
    """Rows with the columns x and y, assembled."""
    from nbaspark.ml.feature import VectorAssembler

    df = s.createDataFrame(values, "x double, y double")
    return VectorAssembler(
        inputCols=["x", "y"], outputCol="features", handleInvalid="keep"
    ).transform(df)


def assembled(values, **params):
    """Case: an assembler whose rows are asked for."""

    def case(s, F, p):
        from nbaspark.ml.feature import VectorAssembler

        df = s.createDataFrame(values, "x double, y double")
        return len(VectorAssembler(outputCol="f", **params).transform(df).collect())

    return case


def fitted(values, **params):
    def case(s, F, p):
        from nbaspark.ml.clustering import KMeans

        return len(KMeans(seed=1, **params).fit(vectors(s, values)).clusterCenters())

    return case


RAGGED = "a,b\n1,2\n3\n4,5,6\nx,7\n"
JUNK = bytes((i * 7919 + i // 256) % 256 for i in range(300))
NAN = float("nan")
POINTS = [(0.0, 1.0), (2.0, 3.0)]

PATHS = {
    "missing_file": lambda s, F, p: rows(s.read.csv(str(p / "no.csv"))),
    "missing_file_schema": lambda s, F, p: rows(s.read.csv(str(p / "no.csv"), schema="a int")),
    "missing_glob": lambda s, F, p: rows(s.read.csv(str(p / "no*.csv"))),
    "missing_one_of_two": lambda s, F, p: rows(s.read.csv([put(p, "1\n"), str(p / "no.csv")])),
    "missing_text": lambda s, F, p: rows(s.read.text(str(p / "no.txt"))),
    "missing_parquet": lambda s, F, p: rows(s.read.parquet(str(p / "no.parquet"))),
    "missing_sql": lambda s, F, p: rows(s.sql(f"select * from csv.`{p}/no.csv`")),
    "missing_load": lambda s, F, p: rows(s.read.load(str(p / "no"))),
    "missing_below_file": lambda s, F, p: rows(s.read.csv(put(p, "1\n") + "/below")),
    "no_path": lambda s, F, p: rows(s.read.format("csv").load()),
    "no_path_parquet": lambda s, F, p: rows(s.read.format("parquet").load()),
    "empty_path": lambda s, F, p: rows(s.read.csv("")),
    "empty_path_list": lambda s, F, p: rows(s.read.csv([])),
    "bad_scheme": lambda s, F, p: rows(s.read.csv("nothing://x/y.csv")),
    "bad_glob": lambda s, F, p: rows(s.read.csv(str(p / "x[.csv"))),
    "bad_glob_braces": lambda s, F, p: rows(s.read.csv(str(p / "{x.csv"))),
    "folder_without_files": lambda s, F, p: ((p / "d").mkdir(), rows(s.read.csv(str(p / "d"))))[1],
    "folder_of_hidden_files": lambda s, F, p: (
        put(p, "1\n", "d/_x.csv"),
        rows(s.read.csv(str(p / "d"))),
    )[1],
    "folder_of_folders": lambda s, F, p: (
        put(p, "1\n", "d/e/x.csv"),
        rows(s.read.csv(str(p / "d"))),
    )[1],
    "folder_without_parquet": lambda s, F, p: (
        (p / "d").mkdir(),
        rows(s.read.parquet(str(p / "d"))),
    )[1],
    "folder_without_text": lambda s, F, p: ((p / "d").mkdir(), rows(s.read.text(str(p / "d"))))[1],
    "glob_filter_of_nothing": lambda s, F, p: rows(
        s.read.option("pathGlobFilter", "*.no").csv(os.path.dirname(put(p, "1\n")))
    ),
    "partitions_of_different_names": lambda s, F, p: (
        put(p, "1\n", "t/a=1/x.csv"),
        put(p, "1\n", "t/b=1/x.csv"),
        rows(s.read.csv(str(p / "t"))),
    )[2],
    "partitions_at_different_depths": lambda s, F, p: (
        put(p, "1\n", "t/a=1/x.csv"),
        put(p, "1\n", "t/a=1/b=2/x.csv"),
        rows(s.read.csv(str(p / "t"))),
    )[2],
    "partition_value_of_other_type": lambda s, F, p: (
        put(p, "1\n", "t/a=x/x.csv"),
        rows(s.read.csv(str(p / "t"), schema="b int, a int")),
    )[1],
    "unknown_format": lambda s, F, p: rows(s.read.format("nothing").load(put(p, "1\n"))),
    "modified_after_bad": read_option(modifiedAfter="yesterday"),
    "modified_after_future": read_option(modifiedAfter="2999-01-01T00:00:00"),
    "file_gone": lambda s, F, p: _gone(s, p),
}


def _gone(s, p):
    df = s.read.csv(put(p, "1\n"), schema="a int")
    assert df.columns == ["a"]
    os.remove(p / "x.csv")
    return rows(df)


COLUMNS = {
    "column_unknown": lambda s, F, p: rows(
        s.read.csv(put(p, "a,b\n1,2\n"), header=True).select("c")
    ),
    "column_unknown_far": lambda s, F, p: rows(
        s.read.csv(put(p, "age,name\n1,2\n"), header=True).select("zzzzzzzzzzzz")
    ),
    "column_unknown_filter": lambda s, F, p: rows(
        s.read.csv(put(p, "a,b\n1,2\n"), header=True).filter("c > 1")
    ),
    "column_unknown_sql": query("select nothing from range(3)"),
    "column_unknown_no_input": query("select nothing"),
    "column_unknown_group": lambda s, F, p: rows(s.range(3).groupBy("k").count()),
    "column_unknown_order": lambda s, F, p: rows(s.range(3).orderBy("k")),
    "column_unknown_join": lambda s, F, p: rows(s.range(3).join(s.range(3), "k")),
    "column_ambiguous": query("select id from range(3) a join range(3) b on a.id = b.id"),
    "column_twice_in_header": read("a,A\n1,2\n", header=True),
    "column_twice_in_schema": read("1,2\n", "a int, a int"),
    "table_unknown": query("select * from no_such_table"),
    "function_unknown": query("select no_such_function(1)"),
    "function_arguments": query("select upper('a', 'b')"),
    "field_unknown": query("select named_struct('a', 1).b"),
    "field_of_number": query("select id.x from range(1)"),
    "aggregate_missing": query("select id, count(*) from range(3)"),
    "aggregate_in_where": query("select id from range(3) where sum(id) > 1"),
    "types_differ": query("select 1 + array(1)"),
    "union_widths": query("select 1 union all select 1, 2"),
    "subquery_of_two_rows": query("select (select id from range(2))"),
    "syntax": query("selekt 1"),
    "syntax_end": query("select (1"),
    "syntax_quote": query("select 'abc"),
    "schema_syntax": read("1\n", "a nothing"),
    "schema_cut": read("1\n", "a array<int"),
    "schema_of_array": read("1\n", "a array<int>"),
    "schema_empty": read("1\n", ""),
}

VALUES = {
    "cast_int": query("select cast('x' as int)"),
    "cast_int_empty": query("select cast('' as int)"),
    "cast_int_large": query("select cast('3000000000' as int)"),
    "cast_int_column": lambda s, F, p: rows(
        s.read.csv(put(p, "1\nx\n")).selectExpr("cast(_c0 as int)")
    ),
    "cast_float_column": lambda s, F, p: rows(
        s.read.csv(put(p, "a\n1.5\nx y\n"), header=True).select(F.col("a").cast("float"))
    ),
    "cast_double": query("select cast('1,5' as double)"),
    "cast_date": query("select cast('2020-02-30' as date)"),
    "cast_timestamp": query("select cast('noon' as timestamp)"),
    "cast_boolean": query("select cast('maybe' as boolean)"),
    "cast_decimal": query("select cast('12345' as decimal(3,1))"),
    "cast_overflow": query("select cast(300 as tinyint)"),
    "cast_overflow_double": query("select cast(1e20 as bigint)"),
    "cast_kinds": query("select cast(array(1) as int)"),
    "divide_by_zero": query("select 1 / 0"),
    "divide_by_zero_column": query("select 10 / (id - 2) from range(5)"),
    "divide_integers_by_zero": query("select 1 div 0"),
    "remainder_by_zero": query("select 1 % 0"),
    "pmod_by_zero": query("select pmod(1, 0)"),
    "divide_decimal_by_zero": query("select cast(1 as decimal(5,2)) / cast(0 as decimal(5,2))"),
    "overflow_int": query("select 2147483647 + 1"),
    "overflow_long": query("select 9223372036854775807 + 1"),
    "overflow_multiply": query("select 9223372036854775807 * id from range(3)"),
    "overflow_subtract": query("select -2147483648 - 1"),
    "overflow_negate": query("select -cast(-128 as tinyint)"),
    "overflow_abs": query("select abs(cast(-2147483648 as int))"),
    "overflow_sum": query("select sum(id + 9223372036854775800) from range(3)"),
    "overflow_tiny": query("select cast(100 as tinyint) + cast(100 as tinyint)"),
    "overflow_decimal": query(
        "select cast('99999999999999999999999999999999999999' as decimal(38,0)) + 1"
    ),
    "overflow_decimal_multiply": query(
        "select cast(1e37 as decimal(38,0)) * cast(1e37 as decimal(38,0))"
    ),
    "array_index": query("select array(1, 2)[5]"),
    "element_at": query("select element_at(array(1, 2), 5)"),
    "element_at_zero": query("select element_at(array(1, 2), 0)"),
    "map_key_null": query("select map(cast(null as int), 1)"),
    "map_key_twice": query("select map(1, 2, 1, 3)"),
    "to_date_bad": query("select to_date('x', 'yyyy-MM-dd')"),
    "to_timestamp_pattern": query("select to_timestamp('2020', 'bbbb')"),
    "make_date_bad": query("select make_date(2020, 13, 1)"),
    "regexp_bad": query("select regexp_replace('a', '(', 'b')"),
    "rlike_bad": query("select 'a' rlike '['"),
    "like_escape_bad": query("select 'a' like 'a\\\\b'"),
    "raise_error": query("select raise_error('out of luck')"),
    "assert_true": query("select assert_true(id < 1) from range(3)"),
    "sequence_direction": query("select sequence(1, 10, -1)"),
    "decode_charset": query("select decode(X'41', 'nothing')"),
    "literal_date": query("select date'2020-13-01'"),
    "literal_number": query("select 99999999999999999999L"),
    "ntile_zero": query("select ntile(0) over (order by id) from range(3)"),
    "percentile_range": query("select percentile(id, 2.0) from range(3)"),
    "limit_negative": query("select * from range(3) limit -1"),
    "sample_fraction": lambda s, F, p: rows(s.range(3).sample(2.0)),
    "range_step_zero": lambda s, F, p: rows(s.range(0, 3, 0)),
    "conf_value": query("set spark.sql.shuffle.partitions=many"),
    "conf_time_zone": query("set spark.sql.session.timeZone=Nowhere/City"),
}

RECORDS = {
    "ragged": read(RAGGED, header=True),
    "ragged_schema": read(RAGGED, "a int, b int", header=True),
    "ragged_corrupt": read(RAGGED, "a int, b int, _corrupt_record string", header=True),
    "ragged_drop": read(RAGGED, "a int, b int", header=True, mode="DROPMALFORMED"),
    "ragged_failfast": read(RAGGED, "a int, b int", header=True, mode="FAILFAST"),
    "ragged_failfast_strings": read("a,b\n1\n", "a string, b string", header=True, mode="FAILFAST"),
    "ragged_failfast_long": read("a,b\n1,2,3\n", "a string, b string", header=True, mode="FAILFAST"),
    "ragged_failfast_infer": read(RAGGED, header=True, inferSchema=True, mode="FAILFAST"),
    "ragged_mode_unknown": read(RAGGED, "a int, b int", header=True, mode="SOMETIMES"),
    "ragged_multiline_failfast": read(RAGGED, "a int, b int", header=True, mode="FAILFAST", multiLine=True),
    "failfast_date": read("2020-13-01\n", "a date", mode="FAILFAST"),
    "failfast_boolean": read("maybe\n", "a boolean", mode="FAILFAST"),
    "failfast_decimal": read("12x\n", "a decimal(5,2)", mode="FAILFAST"),
    "failfast_timestamp": read("noon\n", "a timestamp", mode="FAILFAST"),
    "failfast_count": lambda s, F, p: s.read.csv(put(p, RAGGED), schema="a int, b int", mode="FAILFAST").count(),
    "failfast_pruned": lambda s, F, p: rows(s.read.csv(put(p, "1,x\n2,y\n"), schema="a int, b int", mode="FAILFAST").select("a")),
    "corrupt_only": lambda s, F, p: rows(s.read.csv(put(p, RAGGED), schema="a int, _corrupt_record string").select("_corrupt_record")),
    "corrupt_column_of_int": read(RAGGED, "a int, b int, _corrupt_record int", header=True),
    "corrupt_column_named": read(RAGGED, "a int, b int, bad int", header=True, columnNameOfCorruptRecord="bad"),
    "quote_unterminated": read('a,b\n"1,2\n3,4\n', header=True),
    "quote_unterminated_multiline": read('a,b\n"1,2\n3,4\n', header=True, multiLine=True),
    "quote_unterminated_corrupt": read('"1,2\n3,4\n', "a int, b int, _corrupt_record string", multiLine=True),
    "quote_unterminated_failfast": read('"1,2\n3,4\n', "a int, b int", mode="FAILFAST"),
    "quote_raise": read('"a"b",c\n', "a string, b string", unescapedQuoteHandling="RAISE_ERROR"),
    "quote_raise_failfast": read('"a"b",c\n', "a string, b string", unescapedQuoteHandling="RAISE_ERROR", mode="FAILFAST"),
    "junk": read(JUNK, "a string, b int"),
    "junk_inferred": read(JUNK, inferSchema=True),
    "junk_header": read(JUNK, header=True),
    "junk_failfast": read(JUNK, "a string, b int", mode="FAILFAST"),
    "junk_utf16": read(JUNK, "a string, b int", encoding="UTF-16", multiLine=True),
    "junk_ascii": read("é,1\n".encode(), "a string, b int", encoding="US-ASCII"),
    "nul_bytes": read(b"\0\0,\0\n1,2\n", "a string, b string"),
    "max_columns": read("1,2,3\n", "a int, b int", maxColumns=2),
    "max_chars": read("abcdef,2\n", "a string, b int", maxCharsPerColumn=3),
    "max_chars_quoted": read('"abcdef",2\n', "a string, b int", maxCharsPerColumn=3),
    "enforce_schema_names": read("a,b\n1,2\n", "x int, b int", header=True, enforceSchema=False),
    "enforce_schema_length": read("a,b\n1,2\n", "a int", header=True, enforceSchema=False),
    "gzip_cut": read(gzip.compress(b"1,2\n" * 9999, mtime=0)[:60], "a int, b int", "x.csv.gz"),
    "gzip_junk": read(JUNK, "a string, b int", "x.csv.gz"),
    "deflate_junk": read(JUNK, "a string, b int", "x.csv.deflate"),
    "deflate_cut": read(zlib.compress(b"1,2\n" * 9999)[:30], "a int, b int", "x.csv.deflate"),
    "parquet_of_csv": load("parquet", "1,2\n"),
    "parquet_of_csv_schema": load("parquet", "1,2\n", "a int"),
    "parquet_of_junk": load("parquet", JUNK),
    "parquet_empty": load("parquet", ""),
    "parquet_magic_only": load("parquet", b"PAR1PAR1"),
    "parquet_length_lies": load("parquet", b"PAR1" + b"x" * 20 + b"\xff\xff\xff\x7fPAR1"),
    "parquet_footer_junk": load("parquet", b"PAR1" + JUNK[:100] + (100).to_bytes(4, "little") + b"PAR1"),
    "parquet_encrypted": load("parquet", b"PARE" + JUNK[:100] + (100).to_bytes(4, "little") + b"PARE"),
    "parquet_type": lambda s, F, p: (
        s.range(3).coalesce(1).write.parquet(str(p / "q")),
        rows(s.read.schema("id string").parquet(str(p / "q"))),
    )[1],
}  # fmt: skip

OPTIONS = {
    "quote_long": read_option(quote="ab"),
    "escape_long": read_option(escape="ab"),
    "comment_long": read_option(comment="##"),
    "escape_escape_long": read_option(charToEscapeQuoteEscaping="ab"),
    "sep_empty": read_option(sep=""),
    "sep_backslash": read_option(sep="\\"),
    "sep_special": read_option(sep="\\x"),
    "sep_long_ok": read_option(sep="||"),
    "encoding_unknown": read_option(encoding="no-such"),
    "charset_unknown": read_option(charset="no-such"),
    "encoding_empty": read_option(encoding=""),
    "header_word": read_option(header="maybe"),
    "infer_word": read_option(schema=None, inferSchema="perhaps"),
    "multiline_word": read_option(multiLine="yes"),
    "enforce_word": read_option(enforceSchema="x"),
    "prefer_date_word": read_option(preferDate="x"),
    "leading_word": read_option(ignoreLeadingWhiteSpace="x"),
    "quote_all_word": read_option(quoteAll="x"),
    "max_columns_word": read_option(maxColumns="x"),
    "max_columns_zero": read_option(maxColumns="0"),
    "max_columns_negative": read_option(maxColumns="-1"),
    "max_columns_fraction": read_option(maxColumns="1.5"),
    "max_columns_large": read_option(maxColumns="99999999999"),
    "max_chars_word": read_option(maxCharsPerColumn="x"),
    "max_chars_zero": read_option(maxCharsPerColumn="0"),
    "buffer_word": read_option(inputBufferSize="x"),
    "line_sep_empty": read_option(lineSep=""),
    "line_sep_long": read_option(lineSep="abc"),
    "quote_handling_unknown": read_option(unescapedQuoteHandling="x"),
    "sampling_ratio_word": read_option(schema=None, samplingRatio="x"),
    "sampling_ratio_zero": read_option(schema=None, samplingRatio="0"),
    "sampling_ratio_negative": read_option(schema=None, samplingRatio="-0.5", inferSchema="true"),
    "sampling_ratio_large": read_option(schema=None, samplingRatio="2", inferSchema="true"),
    "date_format_bad": read_option(schema="a date", dateFormat="yyyy-bb"),
    "date_format_quote": read_option(schema="a date", dateFormat="'abc"),
    "timestamp_format_bad": read_option(schema="a timestamp", timestampFormat="QQQQQQQQ"),
    "timestamp_ntz_format_bad": read_option(schema="a timestamp_ntz", timestampNTZFormat="~~{"),
    "time_zone_unknown": read_option(schema="a timestamp", timeZone="Nowhere/City"),
    "locale_unknown": read_option(locale="xx-nowhere-zz"),
    "compression_reader": read_option(compression="nothing"),
    "option_unknown": read_option(noSuchOption="x"),
    "quote_and_sep_same": read_option(quote=",", sep=","),
    "glob_filter_bad": read_option(pathGlobFilter="[x"),
    "recursive_word": read_option(recursiveFileLookup="x"),
    "ignore_corrupt_word": read_option(ignoreCorruptFiles="x"),
    "text_line_sep_empty": load("text", "a\n", lineSep=""),
    "text_wholetext_word": load("text", "a\n", wholetext="x"),
    "text_encoding_unknown": load("text", "a\n", encoding="no-such"),
    "text_schema_two": load("text", "a\n", "a string, b string"),
    "text_schema_int": load("text", "1\n", "value int"),
    "parquet_merge_word": lambda s, F, p: (
        s.range(1).coalesce(1).write.parquet(str(p / "q")),
        rows(s.read.option("mergeSchema", "x").parquet(str(p / "q"))),
    )[1],
}

WRITES = {
    "write_exists": write(mode="error"),
    "write_ignore": write(mode="ignore"),
    "write_mode_unknown": write(mode="sometimes"),
    "write_late_failure": write(frame=failing_rows),
    "write_late_failure_append": write(frame=failing_rows, mode="append"),
    "write_late_failure_new": write(frame=failing_rows, to="new"),
    "write_late_failure_parquet": write("parquet", frame=failing_rows),
    "write_late_failure_text": write("text", frame=failing_rows),
    "write_late_failure_partitions": write(frame=lambda s: failing_rows(s).selectExpr("a", "a as k"), by=["k"]),
    "write_bad_cast": write(frame=lambda s: s.createDataFrame([("x",)], "a string").selectExpr("cast(a as int)")),
    "write_compression_unknown": write(compression="nothing"),
    "write_encoding_unknown": write(encoding="no-such"),
    "write_quote_long": write(quote="ab"),
    "write_sep_empty": write(sep=""),
    "write_sep_long": write(sep="||", to="new"),
    "write_line_sep_long": write(lineSep="abc"),
    "write_header_word": write(header="maybe"),
    "write_quote_all_word": write(quoteAll="x"),
    "write_max_records_word": write(maxRecordsPerFile="x"),
    "write_date_format_bad": write(frame=lambda s: s.sql("select date'2020-01-01' as d"), dateFormat="yyyy-bb"),
    "write_timestamp_format_bad": write(frame=lambda s: s.sql("select timestamp'2020-01-01' as d"), timestampFormat="QQQQQQQ"),
    "write_time_zone": write(frame=lambda s: s.sql("select timestamp'2020-01-01' as d"), timeZone="Nowhere/City"),
    "write_text_compression": write("text", compression="nothing"),
    "write_text_line_sep": write("text", lineSep=""),
    "write_text_encoding": write("text", encoding="no-such"),
    "write_text_two_columns": write("text", frame=lambda s: s.sql("select 'a' as a, 'b' as b")),
    "write_text_int": write("text", frame=lambda s: s.range(1)),
    "write_parquet_compression": write("parquet", compression="nothing"),
    "write_csv_array": write(frame=lambda s: s.sql("select array(1) as a")),
    "write_csv_map": write(frame=lambda s: s.sql("select map(1, 2) as a")),
    "write_unknown_format": write("nothing"),
    "write_partition_unknown": write(by=["no"]),
    "write_partition_all": write(by=["a"]),
    "write_partition_twice": write(frame=lambda s: s.sql("select 1 as a, 2 as b"), by=["a", "a"]),
    "write_partition_array": write(frame=lambda s: s.sql("select 1 as a, array(1) as b"), by=["b"]),
    "write_names_twice": write(frame=lambda s: s.sql("select 1 as a, 2 as a")),
    "write_names_twice_parquet": write("parquet", frame=lambda s: s.sql("select 1 as a, 2 as A")),
    "write_no_columns": write("csv", frame=lambda s: s.range(1).select()),
    "write_no_columns_parquet": write("parquet", frame=lambda s: s.range(1).select()),
    "write_no_path": lambda s, F, p: s.range(1).write.format("csv").save(),
    "write_empty_path": lambda s, F, p: s.range(1).write.csv(""),
    "write_below_file": lambda s, F, p: s.range(1).write.csv(put(p, "1\n") + "/below"),
    "write_over_file_error": lambda s, F, p: s.range(1).write.csv(put(p, "1\n")),
    "write_over_file_append": lambda s, F, p: s.range(1).write.mode("append").csv(put(p, "1\n")),
    "write_bucket": lambda s, F, p: s.range(1).write.bucketBy(2, "id").csv(str(p / "new")),
    "write_null_type": write(frame=lambda s: s.sql("select null as a")),
}  # fmt: skip

LEARNING = {
    "kmeans_more_clusters": fitted(POINTS, k=5),
    "kmeans_k_one": fitted(POINTS, k=1),
    "kmeans_k_zero": fitted(POINTS, k=0),
    "kmeans_no_rows": fitted([], k=2),
    "kmeans_nan": fitted([(0.0, NAN), (2.0, 3.0), (5.0, 6.0)], k=2),
    "kmeans_iter_negative": fitted(POINTS, k=2, maxIter=-1),
    "kmeans_distance": fitted(POINTS, k=2, distanceMeasure="manhattan"),
    "kmeans_init": fitted(POINTS, k=2, initMode="luck"),
    "kmeans_zero_cosine": fitted(
        [(0.0, 0.0), (1.0, 2.0), (3.0, 1.0)], k=2, distanceMeasure="cosine"
    ),
    "kmeans_column": fitted(POINTS, k=2, featuresCol="nothing"),
    "kmeans_of_number": fitted(POINTS, k=2, featuresCol="x"),
    "kmeans_weight_text": fitted(POINTS, k=2, weightCol="features"),
    "assembler_nan": assembled([(0.0, NAN)], inputCols=["x", "y"]),
    "assembler_null": assembled([(0.0, None)], inputCols=["x", "y"]),
    "assembler_null_keep": assembled([(0.0, None)], inputCols=["x", "y"], handleInvalid="keep"),
    "assembler_null_skip": assembled(
        [(0.0, None), (1.0, 2.0)], inputCols=["x", "y"], handleInvalid="skip"
    ),
    "assembler_invalid_word": assembled(POINTS, inputCols=["x", "y"], handleInvalid="maybe"),
    "assembler_unknown": assembled(POINTS, inputCols=["x", "z"]),
    "assembler_text": lambda s, F, p: _text_features(s),
    "assembler_output_exists": lambda s, F, p: _output_exists(s),
    "scaler_of_number": lambda s, F, p: _scaled(s),
    "regression_no_label": lambda s, F, p: _regression(s, [(0.0, 1.0)], labelCol="nothing"),
    "regression_no_rows": lambda s, F, p: _regression(s, [], labelCol="x"),
    "regression_iter": lambda s, F, p: _regression(s, POINTS, labelCol="x", maxIter=-1),
    "model_missing": lambda s, F, p: _model(s, str(p / "no")),
    "model_of_csv": lambda s, F, p: _model(s, str(p / "old")),
    "model_exists": lambda s, F, p: _saved(s, str(p / "old")),
}


def _text_features(s):
    from nbaspark.ml.feature import VectorAssembler

    df = s.createDataFrame([("a",)], "t string")
    return rows(VectorAssembler(inputCols=["t"], outputCol="f").transform(df))


def _output_exists(s):
    from nbaspark.ml.feature import VectorAssembler

    df = s.createDataFrame(POINTS, "x double, y double")
    return rows(VectorAssembler(inputCols=["x"], outputCol="y").transform(df))


def _scaled(s):
    from nbaspark.ml.feature import StandardScaler

    df = s.createDataFrame(POINTS, "x double, y double")
    return StandardScaler(inputCol="x", outputCol="z").fit(df).uid != ""


def _regression(s, values, **params):
    from nbaspark.ml.regression import LinearRegression

    return LinearRegression(**params).fit(vectors(s, values)).numFeatures


def _model(s, path):
    from nbaspark.ml.clustering import KMeansModel

    return KMeansModel.load(path).uid != ""


def _saved(s, path):
    from nbaspark.ml.clustering import KMeans

    KMeans(k=2, seed=1).fit(vectors(s, POINTS)).save(path)


CASES = {
    "paths": PATHS,
    "columns": COLUMNS,
    "values": VALUES,
    "records": RECORDS,
    "options": OPTIONS,
    "writes": WRITES,
    "learning": LEARNING,
}

# Cases in which nbaspark is known not to answer as Apache Spark, and why. They must fail: whoever closes a gap takes its row out.
KNOWN_GAPS = {
    "paths/file_gone": "each call lists the files anew, so that they are missing, not lost",
    "columns/subquery_of_two_rows": "the join that a scalar subquery becomes does not know its place in the text",
    "values/cast_float_column": "the client does not send where a DataFrame operation was called",
    "values/overflow_decimal_multiply": "a product of more than 38 digits is not kept for the message",
    "values/percentile_range": "the text of the call lacks the frequency that is not given",
    "records/junk_header": "the Arrow C data interface ends names at NUL",
    "writes/write_date_format_bad": "the fault of a pattern is told when the write begins, by its general condition",
    "writes/write_timestamp_format_bad": "the fault of a pattern is told when the write begins, by its general condition",
    "learning/kmeans_weight_text": "weights are checked before they are cast",
    "learning/scaler_of_number": "the text names Spark's classes of types",
}  # fmt: skip


# Cases for test_bad_files.py: what files and disks refuse. They run in processes of their own.

CLOSED = 0o000


def lay_out_closed(folder):
    """Files and folders that a process without privileges cannot read or write."""
    put(folder, "1\n2\n", "closed.csv")
    put(folder, "1\n2\n", "closed/x.csv")
    put(folder, "1\n2\n", "sealed/old/part-00000-old.csv")
    os.chmod(folder / "closed.csv", CLOSED)
    os.chmod(folder / "closed", CLOSED)
    os.chmod(folder / "sealed" / "old", 0o555)
    os.chmod(folder / "sealed", 0o555)


def open_again(folder):
    """Undo what lay_out_closed closed, so that the folder can be removed."""
    for name in ("closed", "sealed", "sealed/old"):
        os.chmod(folder / name, 0o777)


WITHOUT_PERMISSION = {
    "read_file": lambda s, F, p: rows(s.read.csv(str(p / "closed.csv"), schema="a int")),
    "read_file_inferred": lambda s, F, p: rows(s.read.csv(str(p / "closed.csv"))),
    "read_text": lambda s, F, p: rows(s.read.text(str(p / "closed.csv"))),
    "read_parquet": lambda s, F, p: rows(s.read.parquet(str(p / "closed.csv"))),
    "read_folder": lambda s, F, p: rows(s.read.csv(str(p / "closed"), schema="a int")),
    "read_below_folder": lambda s, F, p: rows(s.read.csv(str(p / "closed/x.csv"), schema="a int")),
    "read_glob": lambda s, F, p: rows(s.read.csv(str(p / "closed/*.csv"), schema="a int")),
    "write_new": lambda s, F, p: s.range(3).write.csv(str(p / "sealed/new")),
    "write_append": lambda s, F, p: s.range(3).write.mode("append").csv(str(p / "sealed/old")),
    "write_overwrite": lambda s, F, p: s.range(3).write.mode("overwrite").csv(str(p / "sealed/old")),
    "write_below_closed": lambda s, F, p: s.range(3).write.csv(str(p / "closed/new")),
}  # fmt: skip


def much(s):
    """More than a small disk holds, however it is compressed."""
    return s.range(0, 60000, 1, 1).selectExpr("sha2(cast(id as string), 256) as a")


FULL_DISK = {
    "csv_append": lambda s, F, p: much(s).write.mode("append").csv(str(p / "old")),
    "csv_new": lambda s, F, p: much(s).write.csv(str(p / "new")),
    "csv_gzip": lambda s, F, p: much(s).write.mode("append").csv(str(p / "old"), compression="gzip"),
    "text_append": lambda s, F, p: much(s).write.mode("append").text(str(p / "old")),
    "parquet_append": lambda s, F, p: much(s).write.mode("append").parquet(str(p / "old")),
    "csv_overwrite": lambda s, F, p: much(s).write.mode("overwrite").csv(str(p / "old")),
    "partitions": lambda s, F, p: (
        much(s).selectExpr("a", "substr(a, 1, 1) as k").write.mode("append").partitionBy("k").csv(str(p / "old"))
    ),
}  # fmt: skip

FILE_CASES = {"without_permission": WITHOUT_PERMISSION, "full_disk": FULL_DISK}
