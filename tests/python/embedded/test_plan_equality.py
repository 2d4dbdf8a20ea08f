# SPDX-License-Identifier: Apache-2.0
"""The plan of each DataFrame operation equals the one that pyspark-client builds for the same call.

A row of a table is run with both packages; the messages are compared after plan ids, names of
lambda variables and call sites, which differ from process to process, are evened out.
"""

from __future__ import annotations

import datetime
import decimal
import re

import pytest

pytest.importorskip("pyspark.sql.connect.proto")
pytest.importorskip("pyarrow")

from plan_oracle import normalised, our_message, our_session, their_session

DDL = "id bigint, a int, b string, s struct<x: int, y: double>, m map<string,int>, l array<int>"

JSON_SCHEMA = '{"type":"struct","fields":[{"name":"a","type":"integer","nullable":true}]}'


def _two(spark, use):
    return use(spark.range(5))


def _pair(spark, use):
    return use(spark.range(5), spark.range(3))


# name -> (spark, F) -> DataFrame
OPERATIONS = {
    "range": lambda s, F: s.range(10),
    "range_all": lambda s, F: s.range(1, 10, 2, 3),
    "table": lambda s, F: s.table("t"),
    "select": lambda s, F: s.range(5).select("id", F.col("id"), "*", F.col("t.*")),
    "select_none": lambda s, F: s.range(5).select(),
    "select_list": lambda s, F: s.range(5).select(["id", F.col("id") + 1]),
    "select_expr": lambda s, F: s.range(5).selectExpr("id + 1", ["a", "b as c"]),
    "df_columns": lambda s, F: _two(s, lambda d: d.select(d.id, d["a"], d["*"], d[0], d.s.x)),
    "getitem": lambda s, F: _two(s, lambda d: d[d.id > 1][["a", "b"]]),
    "metadata_column": lambda s, F: _two(s, lambda d: d.select(d.metadataColumn("_m"))),
    "col_regex": lambda s, F: _two(s, lambda d: d.select(d.colRegex("`(a|b)?`"))),
    "filter": lambda s, F: s.range(5).filter(F.col("id") > 3),
    "filter_sql": lambda s, F: s.range(5).where("id > 3"),
    "with_column": lambda s, F: s.range(5).withColumn("x", F.lit(1)),
    "with_columns": lambda s, F: s.range(5).withColumns({"x": F.lit(1), "y": F.col("id")}),
    "with_column_renamed": lambda s, F: s.range(5).withColumnRenamed("id", "n"),
    "with_columns_renamed": lambda s, F: s.range(5).withColumnsRenamed({"id": "n", "a": "b"}),
    "with_metadata": lambda s, F: s.range(5).withMetadata("id", {"k": [1, "é"]}),
    "drop": lambda s, F: s.range(5).drop("a", F.col("b"), "c"),
    "drop_none": lambda s, F: s.range(5).drop(),
    "to_df": lambda s, F: s.range(5).toDF("n"),
    "alias": lambda s, F: s.range(5).alias("t").select("t.id"),
    "limit": lambda s, F: s.range(5).limit(3),
    "limit_zero": lambda s, F: s.range(5).limit(0),
    "offset": lambda s, F: s.range(5).offset(2),
    "distinct": lambda s, F: s.range(5).distinct(),
    "drop_duplicates": lambda s, F: s.range(5).dropDuplicates(),
    "drop_duplicates_of": lambda s, F: s.range(5).drop_duplicates(["id", "a"]),
    "drop_duplicates_watermark": lambda s, F: s.range(5).dropDuplicatesWithinWatermark(["id"]),
    "with_watermark": lambda s, F: s.range(5).withWatermark("t", "1 minute"),
    "sort": lambda s, F: s.range(5).sort("id", F.col("a").desc(), F.col("b").asc_nulls_last()),
    "sort_descending": lambda s, F: s.range(5).orderBy("id", "a", ascending=False),
    "sort_mixed": lambda s, F: s.range(5).orderBy(["id", "a"], ascending=[True, False]),
    "sort_ordinal": lambda s, F: s.range(5).sort(1, -2),
    "sort_within": lambda s, F: s.range(5).sortWithinPartitions("id"),
    "join": lambda s, F: s.range(5).join(s.range(3), "id"),
    "join_names": lambda s, F: s.range(5).join(s.range(3), ["id", "a"], "left_outer"),
    "join_none": lambda s, F: s.range(5).join(s.range(3)),
    "join_condition": lambda s, F: _pair(s, lambda x, y: x.join(y, x.id == y.id, "full")),
    "join_conditions": lambda s, F: _pair(
        s, lambda x, y: x.join(y, [x.id == y.id, x.a > y.a], "leftsemi")
    ),
    "join_anti": lambda s, F: s.range(5).join(s.range(3), "id", "ANTI"),
    "join_right": lambda s, F: s.range(5).join(s.range(3), "id", "rightouter"),
    "join_cross": lambda s, F: s.range(5).crossJoin(s.range(3)),
    "join_self": lambda s, F: _two(s, lambda d: d.join(d, d.id == d.id)),
    "lateral_join": lambda s, F: s.range(5).lateralJoin(s.range(3), F.lit(True), "left"),
    "as_of_join": lambda s, F: s.range(5)._joinAsOf(
        s.range(3), "id", "id", on="id", tolerance=F.lit(1), direction="nearest"
    ),
    "nearest_by_join": lambda s, F: s.range(5).nearestByJoin(
        s.range(3), F.abs(F.col("id")), 2, "exact", "distance", joinType="left"
    ),
    "union": lambda s, F: s.range(5).union(s.range(3)),
    "union_by_name": lambda s, F: s.range(5).unionByName(s.range(3), True),
    "intersect": lambda s, F: s.range(5).intersect(s.range(3)),
    "intersect_all": lambda s, F: s.range(5).intersectAll(s.range(3)),
    "subtract": lambda s, F: s.range(5).subtract(s.range(3)),
    "except_all": lambda s, F: s.range(5).exceptAll(s.range(3)),
    "group_count": lambda s, F: s.range(5).groupBy("id").count(),
    "group_agg": lambda s, F: s.range(5).groupBy(F.col("id") % 2, "a").agg(F.sum("id"), F.max("a")),
    "group_dict": lambda s, F: s.range(5).groupBy().agg({"id": "max", "a": "avg"}),
    "group_ordinal": lambda s, F: s.range(5).groupBy(1).count(),
    "group_numeric": lambda s, F: s.range(5).groupBy("b").sum(),
    "group_numeric_named": lambda s, F: s.range(5).groupBy("b").avg("id", "s.y"),
    "group_min_max": lambda s, F: s.range(5).groupBy("b").min("id").groupBy("b").max("id"),
    "agg": lambda s, F: s.range(5).agg(F.count("*"), F.count(F.col("*")), F.countDistinct("id")),
    "agg_dict": lambda s, F: s.range(5).agg({"id": "max"}),
    "rollup": lambda s, F: s.range(5).rollup("id", "a").count(),
    "cube": lambda s, F: s.range(5).cube("id", "a").agg(F.grouping_id()),
    "grouping_sets": lambda s, F: s.range(5).groupingSets([["id"], []], "id").count(),
    "pivot": lambda s, F: s.range(5).groupBy("id").pivot("a", [1, 2]).sum("id"),
    "pivot_unknown": lambda s, F: s.range(5).groupBy("id").pivot("a").count(),
    "unpivot": lambda s, F: s.range(5).unpivot("id", ["a", F.col("b")], "k", "v"),
    "unpivot_all": lambda s, F: s.range(5).melt(["id"], None, "k", "v"),
    "transpose": lambda s, F: s.range(5).transpose("id"),
    "transpose_default": lambda s, F: s.range(5).transpose(),
    "repartition": lambda s, F: s.range(5).repartition(3),
    "repartition_by": lambda s, F: s.range(5).repartition(3, "id", F.col("a")),
    "repartition_by_only": lambda s, F: s.range(5).repartition("id"),
    "repartition_range": lambda s, F: s.range(5).repartitionByRange(3, "id", F.col("a").desc()),
    "repartition_range_only": lambda s, F: s.range(5).repartitionByRange("id"),
    "repartition_by_id": lambda s, F: s.range(5).repartitionById(3, "id"),
    "coalesce": lambda s, F: s.range(5).coalesce(1),
    "hint": lambda s, F: s.range(5).hint("broadcast"),
    "hint_parameters": lambda s, F: s.range(5).hint("rebalance", 3, "id", F.col("a"), [1, 2]),
    "broadcast": lambda s, F: F.broadcast(s.range(5)),
    "sample": lambda s, F: s.range(5).sample(0.5, 3),
    "sample_replace": lambda s, F: s.range(5).sample(True, 0.5, 3),
    "sample_fraction": lambda s, F: s.range(5).sample(fraction=0.25, seed=1),
    "random_split": lambda s, F: s.range(5).randomSplit([1.0, 2.0, 0.5], 7)[1],
    "sample_by": lambda s, F: s.range(5).sampleBy("id", {0: 0.5, 1: 0.25}, 3),
    "observe": lambda s, F: s.range(5).observe("m", F.count(F.lit(1)).alias("n")),
    "to_json": lambda s, F: s.range(5).toJSON(),
    "zip_with_index": lambda s, F: s.range(5).zipWithIndex(),
    "fillna": lambda s, F: s.range(5).fillna(0),
    "fillna_kinds": lambda s, F: s.range(5).na.fill(1.5).na.fill("x").na.fill(True),
    "fillna_subset": lambda s, F: s.range(5).fillna(0, subset=["a", "id"]),
    "fillna_dict": lambda s, F: s.range(5).na.fill({"a": 1, "b": "x"}),
    "dropna": lambda s, F: s.range(5).dropna(),
    "dropna_all": lambda s, F: s.range(5).na.drop("all", subset="id"),
    "dropna_thresh": lambda s, F: s.range(5).dropna(thresh=2, subset=["id", "a"]),
    "replace": lambda s, F: s.range(5).replace(1, 2),
    "replace_text": lambda s, F: s.range(5).na.replace(["a", "b"], ["c", None], ["b"]),
    "replace_dict": lambda s, F: s.range(5).replace({1: 2.5, 3: None}, subset="a"),
    "replace_bool": lambda s, F: s.range(5).replace(True, False),
    "describe": lambda s, F: s.range(5).describe(),
    "describe_some": lambda s, F: s.range(5).describe("id", "a"),
    "describe_list": lambda s, F: s.range(5).describe(["id", "a"]),
    "summary": lambda s, F: s.range(5).summary(),
    "summary_some": lambda s, F: s.range(5).summary("min", "75%"),
    "crosstab": lambda s, F: s.range(5).crosstab("id", "a"),
    "freq_items": lambda s, F: s.range(5).stat.freqItems(("id", "a"), 0.3),
    "freq_items_default": lambda s, F: s.range(5).freqItems(["id"]),
    "in_subquery": lambda s, F: s.range(5).filter(F.col("id").isin(s.range(3))),
    "in_subquery_struct": lambda s, F: s.range(5).filter(F.struct("id", "a").isin(s.range(3))),
    "scalar_subquery": lambda s, F: s.range(5).select("id", s.range(1).scalar() + 1),
    "exists_subquery": lambda s, F: s.range(5).filter(~s.range(1).exists() & (F.col("id") > 0)),
    "read_csv": lambda s, F: s.read.csv("a.csv", header=True, sep=";", inferSchema="true"),
    "read_csv_schema": lambda s, F: s.read.schema("a int").csv(["a.csv", "b.csv"], maxColumns=5),
    "read_csv_text": lambda s, F: s.read.csv(s.range(5).select("b"), schema=JSON_SCHEMA, sep=";"),
    "read_json": lambda s, F: s.read.option("multiLine", True).json("a.json", schema="a int"),
    "read_xml": lambda s, F: s.read.xml("a.xml", "row", "a int"),
    "read_text": lambda s, F: s.read.text("a.txt", wholetext=True),
    "read_parquet": lambda s, F: s.read.options(k=1, l=None).parquet("a", "b", mergeSchema=True),
    "read_orc": lambda s, F: s.read.orc("a", mergeSchema=False),
    "read_load": lambda s, F: s.read.format("csv").load("x", header=False, sep=None),
    "read_load_nothing": lambda s, F: s.read.format("noop").load(),
    "read_table": lambda s, F: s.read.option("k", 1.5).table("t"),
    "read_jdbc": lambda s, F: s.read.jdbc("jdbc:x", "t", properties={"user": "u"}),
    "read_jdbc_column": lambda s, F: s.read.jdbc("jdbc:x", "t", "id", 1, 9, 3),
    "read_jdbc_predicates": lambda s, F: s.read.jdbc("jdbc:x", "t", predicates=["a", "b"]),
    "sql": lambda s, F: s.sql("select 1"),
    "sql_named": lambda s, F: s.sql("select :a, :b", {"a": 1, "b": "x"}),
    "sql_positional": lambda s, F: s.sql("select ?, ?", [1.5, None]),
}

# name -> (F, Window) -> Column, compared inside a projection
COLUMNS = {
    "literals": lambda F, W: F.array(
        F.lit(None), F.lit(True), F.lit(1), F.lit(2**40), F.lit(1.5), F.lit("é\0"), F.lit(b"\0x")
    ),
    "literal_decimal": lambda F, W: F.lit(decimal.Decimal("12.340")),
    "literal_date": lambda F, W: F.lit(datetime.date(2023, 1, 31)),
    "literal_time": lambda F, W: F.lit(datetime.time(12, 30, 1, 5)),
    "literal_timestamp": lambda F, W: F.lit(datetime.datetime(2023, 1, 31, 12, 0, 0, 5)),
    "literal_timestamp_zone": lambda F, W: F.lit(
        datetime.datetime(2023, 1, 31, 12, tzinfo=datetime.timezone.utc)
    ),
    "literal_interval": lambda F, W: F.lit(datetime.timedelta(days=1, microseconds=3)),
    "literal_list": lambda F, W: F.lit([1, 2, 3]),
    "arithmetic": lambda F, W: -((1 + F.col("a") * 2 - 3 / F.col("b") % 4) ** 2),
    "reflected": lambda F, W: (1 - F.col("a")) * (2 * F.col("a")) % (2 ** F.col("a")),
    "reflected_modulo": lambda F, W: 3 % F.col("a"),
    "comparison": lambda F, W: (F.col("a") > 1) & (F.col("a") <= 2) | ~(F.col("a") != 3),
    "comparison_null": lambda F, W: (F.col("a") == None).eqNullSafe(None),  # noqa: E711
    "comparison_less": lambda F, W: (F.col("a") < 1.5) | (F.col("a") >= F.col("b")),
    "logic_reflected": lambda F, W: (True & F.col("a")) | (False | F.col("b")),
    "bitwise": lambda F, W: F.col("a").bitwiseAND(1).bitwiseOR(2).bitwiseXOR(3),
    "nulls": lambda F, W: F.col("a").isNull() & F.col("a").isNotNull() & F.col("a").isNaN(),
    "text_tests": lambda F, W: F.col("b").contains("x") | F.col("b").startswith(F.col("c")),
    "patterns": lambda F, W: (
        F.col("b").like("x%") | F.col("b").rlike("^x") | F.col("b").ilike("X_")
    ),
    "endswith": lambda F, W: F.col("b").endswith("x"),
    "substr": lambda F, W: F.col("b").substr(1, 2),
    "substr_columns": lambda F, W: F.col("b").substr(F.lit(1), F.length("b")),
    "slice": lambda F, W: F.col("b")[1:3],
    "isin": lambda F, W: F.col("a").isin(1, 2, F.col("b")),
    "isin_list": lambda F, W: F.col("a").isin([1, None]),
    "isin_nothing": lambda F, W: F.col("a").isin([]),
    "between": lambda F, W: F.col("a").between(1, F.col("b")),
    "case": lambda F, W: F.when(F.col("a") == 1, "x").when(F.col("a") == 2, F.col("b")),
    "case_else": lambda F, W: F.when(F.col("a") == 1, 1).otherwise(None),
    "cast": lambda F, W: F.col("a").cast("int").astype("decimal(10, 2)").try_cast("date"),
    "alias": lambda F, W: F.col("a").alias("b"),
    "alias_metadata": lambda F, W: F.col("a").alias("b", metadata={"k": 1}),
    "alias_several": lambda F, W: F.explode("m").alias("k", "v"),
    "get_item": lambda F, W: F.col("l").getItem(0) + F.col("m")["k"] + F.col("s").getField("x"),
    "attribute": lambda F, W: F.col("s").x,
    "with_field": lambda F, W: F.col("s").withField("z.w", F.lit(1)).dropFields("x", "y"),
    "transform": lambda F, W: F.col("a").transform(lambda c: c + 1),
    "lambda": lambda F, W: F.transform("l", lambda x, i: F.filter("l", lambda y: y > x + i)),
    "lambda_fold": lambda F, W: F.aggregate("l", F.lit(0), lambda s, x: s + x, lambda s: s * 2),
    "lambda_map": lambda F, W: F.map_zip_with("m", "m", lambda k, a, b: F.coalesce(a, b)),
    "call_function": lambda F, W: F.call_function("f", "a", F.lit(1)),
    "expr": lambda F, W: F.expr("a + 1"),
    "over": lambda F, W: F.row_number().over(W.partitionBy("a", F.col("b")).orderBy(F.desc("id"))),
    "over_order_only": lambda F, W: F.sum("a").over(W.orderBy("id")),
    "over_rows": lambda F, W: F.sum("a").over(
        W.partitionBy("b").rowsBetween(W.unboundedPreceding, 3)
    ),
    "over_range": lambda F, W: F.sum("a").over(
        W.partitionBy(["b"]).orderBy("id").rangeBetween(-5, W.unboundedFollowing)
    ),
    "over_current": lambda F, W: F.sum("a").over(W.partitionBy("b").rowsBetween(0, W.currentRow)),
}

# name -> (spark, F) -> None: something that runs
COMMANDS = {
    "write_csv": lambda s, F: s.range(5).write.csv("out", mode="overwrite", header=True, sep="|"),
    "write_save": lambda s, F: s.range(5).write.format("json").option("k", True).save("out"),
    "write_nothing": lambda s, F: s.range(5).write.save(),
    "write_partitions": lambda s, F: (
        s.range(5).write.partitionBy("a", "b").parquet("out", compression="zstd")
    ),
    "write_text": lambda s, F: s.range(5).write.mode("append").text("out", lineSep="\n"),
    "write_json": lambda s, F: s.range(5).write.mode("ignore").json("out"),
    "write_orc": lambda s, F: s.range(5).write.orc("out", mode="error"),
    "write_table": lambda s, F: s.range(5).write.saveAsTable("t", "parquet", "overwrite", "a"),
    "write_buckets": lambda s, F: (
        s.range(5).write.bucketBy(4, "a", "b").sortBy("a").saveAsTable("t")
    ),
    "write_insert": lambda s, F: s.range(5).write.insertInto("t", True),
    "write_cluster": lambda s, F: s.range(5).write.clusterBy("a").saveAsTable("t"),
    "write_jdbc": lambda s, F: s.range(5).write.jdbc("jdbc:x", "t", "append", {"user": "u"}),
    "write_to": lambda s, F: s.range(5).writeTo("t").using("parquet").option("k", 1).create(),
    "write_to_properties": lambda s, F: (
        s.range(5)
        .writeTo("t")
        .partitionedBy("a", F.col("b"))
        .tableProperty("p", "q")
        .createOrReplace()
    ),
    "write_to_overwrite": lambda s, F: s.range(5).writeTo("t").overwrite(F.col("a") > 1),
    "write_to_append": lambda s, F: s.range(5).writeTo("t").append(),
    "write_to_replace": lambda s, F: s.range(5).writeTo("t").replace(),
    "write_to_dynamic": lambda s, F: s.range(5).writeTo("t").overwritePartitions(),
    "create_view": lambda s, F: s.range(5).createOrReplaceTempView("v"),
    "create_view_new": lambda s, F: s.range(5).createTempView("v"),
    "create_view_global": lambda s, F: s.range(5).createGlobalTempView("v"),
    "create_view_global_replace": lambda s, F: s.range(5).createOrReplaceGlobalTempView("v"),
    "sql": lambda s, F: s.sql("select :a", {"a": 1}),
    "show": lambda s, F: s.range(5)._show_string(5, 7, True),
    "show_default": lambda s, F: s.range(5)._show_string(),
    "show_whole": lambda s, F: s.range(5)._show_string(truncate=False),
    "count": lambda s, F: s.range(5).count(),
    "cov": lambda s, F: s.range(5).cov("a", "id"),
    "corr": lambda s, F: s.range(5).stat.corr("a", "id"),
    "approx_quantile": lambda s, F: s.range(5).approxQuantile(("a", "id"), [0.5, 1], 0),
    "catalog_current": lambda s, F: s.catalog.currentDatabase(),
    "catalog_tables": lambda s, F: s.catalog.listTables("d", "p*"),
    "catalog_exists": lambda s, F: s.catalog.tableExists("t"),
    "catalog_columns": lambda s, F: s.catalog.listColumns("t"),
    "catalog_drop_view": lambda s, F: s.catalog.dropTempView("v"),
    "catalog_cache": lambda s, F: s.catalog.cacheTable("t"),
    "catalog_clear": lambda s, F: s.catalog.clearCache(),
    "catalog_functions": lambda s, F: s.catalog.listFunctions(),
    "catalog_create_database": lambda s, F: s.catalog.createDatabase("d", True, {"k": "v"}),
    "catalog_create_table": lambda s, F: s.catalog.createTable("t", "p", "csv", header="true"),
    "catalog_drop_table": lambda s, F: s.catalog.dropTable("t", True),
    "catalog_refresh": lambda s, F: s.catalog.refreshByPath("p"),
    "catalog_set": lambda s, F: s.catalog.setCurrentDatabase("d"),
}


@pytest.fixture(scope="module")
def theirs():
    import pyspark.sql.connect.functions as functions
    from pyspark.sql.connect.window import Window

    return their_session(DDL), functions, Window


@pytest.fixture
def ours():
    from nbaspark.sql import Window, functions

    return our_session(DDL), functions, Window


def compare(mine, expected):
    assert normalised(mine) == normalised(expected)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(name, ours, theirs):
    build = OPERATIONS[name]
    mine = our_message(build(*ours[:2])._plan, "Relation")
    compare(mine, build(*theirs[:2])._plan.plan(theirs[0]._client))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", COLUMNS)
def test_column(name, ours, theirs):
    build = COLUMNS[name]
    mine = our_message(ours[0].range(1).select(build(*ours[1:]))._plan, "Relation")
    df = theirs[0].range(1).select(build(*theirs[1:]))
    compare(mine, df._plan.plan(theirs[0]._client))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", COLUMNS)
def test_column_text(name, ours, theirs):
    def numbered(column):
        return re.sub(r"\b([xyz])_\d+", r"\1", repr(column))

    build = COLUMNS[name]
    assert numbered(build(*ours[1:])) == numbered(build(*theirs[1:]))


@pytest.mark.parametrize("name", COMMANDS)
def test_command(name, ours, theirs):
    run = COMMANDS[name]
    for spark, functions in (ours[:2], theirs[:2]):
        try:
            run(spark, functions)
        except (TypeError, IndexError, AttributeError, AssertionError):
            pass  # the answer is made up: only the question counts
    expected = theirs[0]._client.plan
    mine = our_message(ours[0]._channel.plan, "Plan")
    compare(mine.command if type(expected).__name__ == "Command" else mine, expected)


# Functions whose arguments cannot be made from their annotations: name -> arguments
ARGUMENTS = {
    "convert_timezone": [(None, "column", "a"), ("column", "column", "a")],
    "date_part": [("column", "a")],
    "datepart": [("column", "a")],
    "extract": [("column", "a")],
    "greatest": [("a", "b")],
    "least": [("a", "b", "c")],
    "histogram_numeric": [("a", "column")],
    "json_tuple": [("a", "x", "y")],
    "like": [("a", "b"), ("a", "b", "column")],
    "ilike": [("a", "b", "column")],
    "log": [("a",), (2.0, "a")],
    "make_timestamp": [("a", "b", "c", "d", "e", "f"), ("a", "b", "c", "d", "e", "f", "g")],
    "make_timestamp_ntz": [("a", "b", "c", "d", "e", "f")],
    "try_make_timestamp": [("a", "b", "c", "d", "e", "f")],
    "try_make_timestamp_ntz": [("a", "b", "c", "d", "e", "f")],
    "map_zip_with": [("a", "b", "lambda3")],
    "filter": [("a", "lambda1"), ("a", "lambda2")],
    "transform": [("a", "lambda1"), ("a", "lambda2")],
    "percentile": [("a", 0.5), ("a", [0.5, 0.9], 2), ("a", (0.5, 0.9), "column")],
    "percentile_approx": [("a", 0.5), ("a", [0.5, 0.9], 100)],
    "approx_percentile": [("a", 0.5), ("a", (0.5, 0.9), 100)],
    "sha2": [("a", 256)],
    "struct": [("a", "b"), (["a", "b"],)],
    "array": [("a", "b"), (["a", "b"],), ()],
    "create_map": [("a", "b"), (["a", "b"],)],
    "map_concat": [("a", "b"), (["a", "b"],)],
    "time_bucket": [("column", "a"), ("column", "a", "column")],
    "when": [("column", 1)],
    "window": [("a", "5 minutes"), ("a", "5 minutes", None, "1 minute"), ("a", "5m", "1m", "2m")],
    "count": [("a",), ("*",), ("star",)],
    "sequence": [("a", "b"), ("a", "b", "c")],
    "from_json": [("a", "b int"), ("a", "column", {"mode": "FAILFAST", "k": True})],
    "lit": [(1,)],
    "assert_true": [("a",), ("a", "no"), ("a", "column")],
}
RANDOM = {"rand", "randn", "random", "uuid", "uniform", "randstr", "shuffle", "count_min_sketch"}
NOT_CALLED = {
    "ArrowUDFType",
    "PandasUDFType",
    "arrow_udf",
    "arrow_udtf",
    "broadcast",
    "pandas_udf",
    "udf",
    "udtf",
}


def _function_names():
    from nbaspark.sql.functions import _HOME

    return sorted(set(_HOME) - NOT_CALLED)


def _guess(parameter):
    """Return an argument for a parameter, by its annotation."""
    text = str(parameter.annotation)
    if "Callable" in text:
        return f"lambda{text.count('Column') - text.count('-> Column') - 1 or 1}"
    if "Mapping" in text:
        return {"mode": "x"}
    if "ColumnOrName" in text:
        return "a"
    for name, value in (("int", 3), ("float", 0.5), ("bool", True), ("str", "x")):
        if name in text:
            return value
    return "column" if "Column" in text else 7


def _calls(name, function):
    import inspect

    if name in ARGUMENTS:
        return ARGUMENTS[name]
    parameters = list(inspect.signature(function).parameters.values())
    several = [p for p in parameters if p.kind is p.VAR_POSITIONAL]
    plain = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    required = [_guess(p) for p in plain if p.default is p.empty]
    more = ["a", "b"] if several else []
    calls = [(*required, *more)]
    if not several and len(required) < len(plain):
        calls.append(tuple(_guess(p) for p in plain))
    return calls[-1:] if name in RANDOM else calls


def _argument(value, functions):
    lambdas = {"lambda1": lambda x: x, "lambda2": lambda x, y: x + y, "lambda3": lambda x, y, z: z}
    if isinstance(value, str) and value in lambdas:
        return lambdas[value]
    if value == "column":
        return functions.col("x") == 1
    return functions.col("*") if value == "star" else value


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", _function_names())
def test_function(name, ours, theirs):
    for call in _calls(name, getattr(theirs[1], name)):
        columns = []
        for _, functions, _ in (ours, theirs):
            function = getattr(functions, name)
            columns.append(function(*(_argument(v, functions) for v in call)))
        mine = our_message(ours[0].range(1).select(columns[0])._plan, "Relation")
        df = theirs[0].range(1).select(columns[1])
        compare(mine, df._plan.plan(theirs[0]._client))


def test_functions_are_all_there(theirs):
    import pyspark.sql.functions as expected

    from nbaspark.sql import functions

    not_functions = {n for n in expected.__all__ if n[0].isupper()}
    assert set(expected.__all__) - not_functions <= set(functions.__all__)
    assert not {"chr", "random", "uuid"} & set(functions.__all__)
    assert all(callable(getattr(functions, n)) for n in functions.__all__)


@pytest.mark.parametrize("name", _function_names())
def test_signature(name):
    import inspect

    import pyspark.sql.functions as expected

    from nbaspark.sql import functions

    def shape(function):
        parameters = inspect.signature(function).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    assert shape(getattr(functions, name)) == shape(getattr(expected, name))


CLASSES = {
    "Column": "sql.column",
    "DataFrame": "sql.dataframe",
    "DataFrameNaFunctions": "sql.dataframe",
    "DataFrameStatFunctions": "sql.dataframe",
    "DataFrameReader": "sql.readwriter",
    "DataFrameWriter": "sql.readwriter",
    "DataFrameWriterV2": "sql.readwriter",
    "GroupedData": "sql.group",
    "Catalog": "sql.catalog",
    "Window": "sql.window",
    "WindowSpec": "sql.window",
    "Row": "sql.types",
    "StructType": "sql.types",
    "StructField": "sql.types",
    "ArrayType": "sql.types",
    "MapType": "sql.types",
    "StorageLevel": "storagelevel",
    "SparkConf": "conf",
}

# What there is no sense in without Python functions, streams, RDDs or pandas-on-Spark.
LEFT_OUT = {
    "DataFrame": {"plot", "writeStream", "executionInfo", "rdd"},
    "Catalog": {"registerFunction"},
    "GroupedData": {
        "apply",
        "applyInPandasWithState",
        "transformWithState",
        "transformWithStateInPandas",
    },
    "StructField": {"getCollationMetadata", "getCollationsMap", "schemaCollationValue"},
    "DataFrameWriterV2": {"withSchemaEvolution"},
    "DataFrameWriter": {"withSchemaEvolution"},
}


@pytest.mark.parametrize("name", CLASSES)
def test_methods(name):
    import importlib
    import inspect

    mine, expected = (
        getattr(importlib.import_module(f"{package}.{CLASSES[name]}"), name)
        for package in ("nbaspark", "pyspark")
    )

    def public(cls):
        return {n for n in dir(cls) if not n.startswith("_")}

    missing = public(expected) - public(mine) - LEFT_OUT.get(name, set())
    assert not missing

    def shape(function):
        parameters = list(inspect.signature(function).parameters.values())
        return [(p.name, p.default) for p in parameters if p.name != "self"]

    for method in public(mine) & public(expected):
        function, theirs = getattr(mine, method), getattr(expected, method)
        if inspect.isfunction(function) and inspect.isfunction(theirs):
            ours = shape(function)
            if all(d is inspect.Parameter.empty or _plain(d) for _, d in shape(theirs)):
                assert ours == shape(theirs), method


def _plain(value):
    return value is None or isinstance(value, (bool, int, float, str))
