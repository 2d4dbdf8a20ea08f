# SPDX-License-Identifier: Apache-2.0
"""Projections, filters, order, limits, set operations, partitions, missing values, samples."""


def people(s):
    return s.createDataFrame(
        [("Ana", 11, 1.5), ("Bia", 5, None), ("Caio", None, 2.0), (None, 5, -1.0)],
        "name string, age int, score double",
    )


def numbers(s, n=10):
    return s.range(n)


def drawn(s, F, first, n):
    return s.range(first, first + 4, 1, n).select("id", F.rand(42).alias("r"))


CASES = {
    "union of random numbers": lambda s, F, W: drawn(s, F, 0, 2).union(drawn(s, F, 10, 3)),
    "union of three": lambda s, F, W: (
        drawn(s, F, 0, 2).union(drawn(s, F, 10, 1)).union(drawn(s, F, 20, 2)).where("id % 2 = 1")
    ),
    "range": lambda s, F, W: s.range(5),
    "range_step": lambda s, F, W: s.range(10, 0, -3),
    "range_empty": lambda s, F, W: s.range(5, 5),
    "select_columns": lambda s, F, W: people(s).select("name", "age"),
    "select_star": lambda s, F, W: people(s).select("*", F.lit(1).alias("one")),
    "select_expressions": lambda s, F, W: people(s).select(F.col("age") + 1, F.col("score") * 2),
    "select_nothing": lambda s, F, W: numbers(s, 3).select(),
    "select_df_columns": lambda s, F, W: (lambda d: d.select(d.name, d["age"]))(people(s)),
    "select_same_name": lambda s, F, W: numbers(s, 2).select("id", "id"),
    "select_expr": lambda s, F, W: people(s).selectExpr("name", "age * 2 as twice", "upper(name)"),
    "getitem_list": lambda s, F, W: people(s)[["name", "score"]],
    "getitem_condition": lambda s, F, W: (lambda d: d[d.age > 5])(people(s)),
    "getitem_position": lambda s, F, W: (lambda d: d.select(d[1], d[-1]))(people(s)),
    "col_regex": lambda s, F, W: (lambda d: d.select(d.colRegex("`(name|age)`")))(people(s)),
    "with_column_new": lambda s, F, W: people(s).withColumn("adult", F.col("age") >= 10),
    "with_column_replaced": lambda s, F, W: people(s).withColumn("age", F.col("age") + 1),
    "with_column_other_case": lambda s, F, W: people(s).withColumn("AGE", F.lit(0)),
    "with_columns": lambda s, F, W: people(s).withColumns({"a": F.lit(1), "b": F.col("age") * 2}),
    "with_column_renamed": lambda s, F, W: people(s).withColumnRenamed("age", "years"),
    "with_column_renamed_absent": lambda s, F, W: people(s).withColumnRenamed("nothing", "x"),
    "with_columns_renamed": lambda s, F, W: people(s).withColumnsRenamed({"age": "a", "name": "n"}),
    "with_metadata": lambda s, F, W: people(s).withMetadata("age", {"k": 1}).schema["age"].metadata,
    "drop": lambda s, F, W: people(s).drop("age", "absent"),
    "drop_column": lambda s, F, W: (lambda d: d.drop(d.age))(people(s)),
    "drop_all": lambda s, F, W: numbers(s, 2).drop("id"),
    "to_df": lambda s, F, W: people(s).toDF("a", "b", "c"),
    "to_df_wrong": lambda s, F, W: people(s).toDF("a", "b").schema,
    "to_schema": lambda s, F, W: people(s).to(
        s.createDataFrame([], "age bigint, name string").schema
    ),
    "alias_qualified": lambda s, F, W: people(s).alias("p").select("p.name", "p.*"),
    "filter_condition": lambda s, F, W: people(s).filter(F.col("age") == 5),
    "filter_text": lambda s, F, W: people(s).filter("age = 5 and name is not null"),
    "filter_null": lambda s, F, W: people(s).filter(F.lit(None)),
    "where_and": lambda s, F, W: people(s).where((F.col("age") > 4) & (F.col("score") > 0)),
    "where_or_not": lambda s, F, W: people(s).where(~(F.col("age") > 5) | F.col("name").isNull()),
    "filter_chained": lambda s, F, W: (
        numbers(s).filter("id > 2").filter("id < 6").filter("id != 4")
    ),
    "limit_after_sort": lambda s, F, W: people(s).sort("score").limit(2),
    "limit_zero": lambda s, F, W: people(s).limit(0),
    "offset_after_sort": lambda s, F, W: numbers(s).sort("id").offset(7),
    "limit_offset_after_sort": lambda s, F, W: numbers(s).sort("id").offset(2).limit(3),
    "sort_nulls_first": lambda s, F, W: people(s).sort("age", "name"),
    "sort_descending_nulls_last": lambda s, F, W: people(s).sort(F.desc("age"), F.desc("name")),
    "sort_nulls_placed": lambda s, F, W: people(s).sort(
        F.col("age").asc_nulls_last(), F.col("name").desc_nulls_first()
    ),
    "sort_ascending_false": lambda s, F, W: people(s).orderBy("age", "name", ascending=False),
    "sort_ascending_list": lambda s, F, W: people(s).orderBy("age", "name", ascending=[0, 1]),
    "sort_ordinals": lambda s, F, W: people(s).sort(2, -1),
    "sort_expression": lambda s, F, W: numbers(s).sort(F.col("id") % 3, F.col("id").desc()),
    "sort_by_dropped_column": lambda s, F, W: people(s).select("name").sort("name"),
    "sort_doubles_with_nan": lambda s, F, W: s.createDataFrame(
        [(1.0,), (float("nan"),), (None,), (float("-inf"),), (0.0,)], "x double"
    ).sort("x"),
    "distinct": lambda s, F, W: numbers(s).select(F.col("id") % 3).distinct(),
    "distinct_nulls": lambda s, F, W: people(s).select("age").distinct(),
    "drop_duplicates_all": lambda s, F, W: people(s).union(people(s)).dropDuplicates(),
    "drop_duplicates_subset_count": lambda s, F, W: people(s).dropDuplicates(["age"]).count(),
    "drop_duplicates_unknown": lambda s, F, W: people(s).dropDuplicates(["no"]).schema,
    "union": lambda s, F, W: numbers(s, 2).union(numbers(s, 3)),
    "union_widens": lambda s, F, W: s.range(1).union(s.range(1).select(F.lit(1.5))),
    "union_names": lambda s, F, W: people(s).select("name").union(people(s).select("name")),
    "union_count_wrong": lambda s, F, W: people(s).union(numbers(s)).schema,
    "union_type_wrong": lambda s, F, W: s.range(1).union(s.sql("select array(1)")).schema,
    "union_by_name": lambda s, F, W: (
        s.range(1)
        .select(F.lit(1).alias("a"), F.lit(2).alias("b"))
        .unionByName(s.range(1).select(F.lit(3).alias("b"), F.lit(4).alias("a")))
    ),
    "union_by_name_missing": lambda s, F, W: (
        s.range(1)
        .select(F.lit(1).alias("a"))
        .unionByName(s.range(1).select(F.lit(3).alias("b")), allowMissingColumns=True)
    ),
    "union_by_name_wrong": lambda s, F, W: s.range(1).unionByName(people(s)).schema,
    "intersect": lambda s, F, W: numbers(s, 5).intersect(s.range(3, 8)),
    "intersect_all": lambda s, F, W: s.createDataFrame([(1,), (1,), (2,)], "a int").intersectAll(
        s.createDataFrame([(1,), (1,), (1,)], "a int")
    ),
    "subtract": lambda s, F, W: numbers(s, 5).subtract(s.range(3, 8)),
    "subtract_nulls": lambda s, F, W: (
        people(s).select("age").subtract(people(s).select("age").filter("age is null"))
    ),
    "except_all": lambda s, F, W: s.createDataFrame([(1,), (1,), (2,)], "a int").exceptAll(
        s.createDataFrame([(1,)], "a int")
    ),
    "unpivot": lambda s, F, W: people(s).unpivot("name", ["age", "score"], "what", "value"),
    "unpivot_all": lambda s, F, W: s.createDataFrame([(1, 2, 3)], "i int, a int, b int").melt(
        "i", None, "k", "v"
    ),
    "unpivot_types": lambda s, F, W: people(s).unpivot("age", ["name", "score"], "k", "v").schema,
    "repartition_keeps_rows": lambda s, F, W: numbers(s).repartition(3),
    "repartition_by_keeps_rows": lambda s, F, W: people(s).repartition(3, "age"),
    "coalesce_keeps_rows": lambda s, F, W: numbers(s).coalesce(1),
    "sort_within_partitions": lambda s, F, W: (
        numbers(s).coalesce(1).sortWithinPartitions(F.desc("id"))
    ),
    "hint": lambda s, F, W: numbers(s, 2).hint("broadcast"),
    "transform": lambda s, F, W: numbers(s, 3).transform(lambda d, k: d.filter(d.id >= k), 1),
    "is_empty": lambda s, F, W: (numbers(s).isEmpty(), numbers(s).filter("id < 0").isEmpty()),
    "count": lambda s, F, W: (people(s).count(), people(s).filter("age > 100").count()),
    "first_of_sort": lambda s, F, W: people(s).sort("name").first(),
    "first_of_nothing": lambda s, F, W: people(s).filter("false").first(),
    "head_of_sort": lambda s, F, W: numbers(s).sort(F.desc("id")).head(2),
    "head_none": lambda s, F, W: numbers(s).filter("false").head(),
    "take_of_sort": lambda s, F, W: numbers(s).sort("id").take(3),
    "tail_of_sort": lambda s, F, W: numbers(s).sort("id").tail(2),
    "to_local_iterator": lambda s, F, W: sorted(r.id for r in numbers(s, 3).toLocalIterator()),
    "columns": lambda s, F, W: people(s).columns,
    "dtypes": lambda s, F, W: people(s).dtypes,
    "schema": lambda s, F, W: people(s).schema,
    "repr_text": lambda s, F, W: repr(people(s)),
    "tree": lambda s, F, W: people(s).schema.treeString(),
    "random_split_sizes": lambda s, F, W: sum(
        d.count() for d in numbers(s, 100).randomSplit([1.0, 2.0], 3)
    ),
    "sample_all": lambda s, F, W: numbers(s, 5).sample(1.0),
    "sample_none": lambda s, F, W: numbers(s, 5).sample(0.0),
    "to_json": lambda s, F, W: people(s).toJSON(),
    "describe": lambda s, F, W: people(s).describe(),
    "describe_column": lambda s, F, W: people(s).describe("age"),
    "summary": lambda s, F, W: people(s).select("age", "name").summary(),
    "summary_some": lambda s, F, W: people(s).summary("count", "min", "50%", "max"),
    "fillna_number": lambda s, F, W: people(s).fillna(0),
    "fillna_double": lambda s, F, W: people(s).fillna(1.9),
    "fillna_text": lambda s, F, W: people(s).fillna("?"),
    "fillna_dict": lambda s, F, W: people(s).na.fill({"age": 7, "name": "x"}),
    "fillna_subset": lambda s, F, W: people(s).fillna(0, subset=["score"]),
    "fillna_nan": lambda s, F, W: s.createDataFrame([(float("nan"),), (None,)], "x double").fillna(
        2
    ),
    "dropna": lambda s, F, W: people(s).dropna(),
    "dropna_all": lambda s, F, W: people(s).dropna("all", subset=["age", "name"]),
    "dropna_thresh": lambda s, F, W: people(s).dropna(thresh=2),
    "dropna_nan": lambda s, F, W: s.createDataFrame(
        [(float("nan"),), (1.0,)], "x double"
    ).na.drop(),
    "replace_number": lambda s, F, W: people(s).replace(5, 50),
    "replace_list": lambda s, F, W: people(s).na.replace(["Ana", "Bia"], ["A", "B"], "name"),
    "replace_by_null": lambda s, F, W: people(s).replace({"Ana": None}),
    "replace_double": lambda s, F, W: people(s).replace({1.5: 9.25}, subset=["score"]),
    "cov": lambda s, F, W: round(people(s).cov("age", "score"), 10),
    "corr": lambda s, F, W: round(
        numbers(s).select("id", (F.col("id") * 2).alias("b")).corr("id", "b"), 9
    ),
    "approx_quantile": lambda s, F, W: numbers(s, 101).approxQuantile(
        "id", [0.0, 0.25, 0.5, 1.0], 0.0
    ),
    "approx_quantile_several": lambda s, F, W: people(s).approxQuantile(
        ["age", "score"], [0.5], 0.0
    ),
    "crosstab": lambda s, F, W: s.createDataFrame(
        [("a", 1), ("a", 2), ("b", 1), ("a", 1)], "k string, v int"
    ).crosstab("k", "v"),
    "sample_by": lambda s, F, W: (
        s.range(0, 1000)
        .select((F.col("id") % 3).alias("k"))
        .sampleBy("k", {0: 0.1, 1: 0.2}, 0)
        .groupBy("k")
        .count()
    ),
    "sample_by_text": lambda s, F, W: s.createDataFrame(
        [(None,), ("a",), ("b",)], "x string"
    ).sampleBy("x", {"a": 1.0}, 3),
    "freq_items": lambda s, F, W: s.createDataFrame(
        [(1, 2), (1, 3), (1, 2)], "a int, b int"
    ).freqItems(["a"], 0.6),
    "temp_view": lambda s, F, W: (
        people(s).createOrReplaceTempView("people_v"),
        s.table("people_v"),
    )[1],
    "temp_view_sql": lambda s, F, W: (
        people(s).createOrReplaceTempView("people_v"),
        s.sql("select age, count(*) as n from people_v group by age"),
    )[1],
    "temp_view_twice": lambda s, F, W: (
        people(s).createOrReplaceTempView("people_v"),
        people(s).createTempView("people_v"),
    ),
    "sql_arguments": lambda s, F, W: s.sql("select :a + 1 as x, :b as y", {"a": 1, "b": "t"}),
    "sql_positional": lambda s, F, W: s.sql("select ? as x, ? as y", [1, "t"]),
    "sql_dataframe": lambda s, F, W: s.sql("select max(id) as m from {d}", d=numbers(s)),
    "cache": lambda s, F, W: (lambda d: (d.count(), d.is_cached, d.unpersist().is_cached))(
        numbers(s).cache()
    ),
    "in_subquery": lambda s, F, W: numbers(s, 5).filter(F.col("id").isin(s.range(2, 4))),
    "scalar_subquery": lambda s, F, W: numbers(s, 2).select(
        "id", s.range(5).select(F.max("id")).scalar().alias("m")
    ),
    "exists_subquery": lambda s, F, W: numbers(s, 2).filter(s.range(0).exists()),
}
