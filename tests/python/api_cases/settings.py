# SPDX-License-Identifier: Apache-2.0
"""Settings that change what a query means or where its files go: each with a value that is not the default."""

import glob
import gzip
import os
import tempfile


def under(settings, use):
    """Make a case of a function that runs while the session has other settings."""

    def case(s, F, W):
        before = {key: s.conf.get(key) for key in settings}
        for key, value in settings.items():
            s.conf.set(key, value)
        try:
            return use(s, F)
        finally:
            for key, value in before.items():
                s.conf.set(key, value)

    return case


def kept(df):
    """Return schema and rows of a DataFrame, asked for now."""
    return df.dtypes, sorted(map(repr, df.collect()))


def query(text, **settings):
    """Make a case of a query under settings whose names lack `spark.sql.`."""
    return under(
        {f"spark.sql.{key.replace('_', '.')}": value for key, value in settings.items()},
        lambda s, F: kept(s.sql(text)),
    )


def condition(use):
    """Return the error condition of a function that fails, without its parameters."""

    def run(s, F):
        from nbaspark.errors import PySparkException

        try:
            return kept(use(s, F))
        except PySparkException as error:
            return type(error).__name__, error.getCondition(), error.getSqlState()

    return run


def in_folder(use):
    def run(s, F):
        with tempfile.TemporaryDirectory(prefix="nbaspark-") as folder:
            os.chmod(folder, 0o777)
            return use(s, F, os.path.join(folder, "out"))

    return run


def files_below(path):
    """Return the extensions of data files, without random names."""
    return sorted(
        os.path.basename(f).rsplit("c000", 1)[1]
        for f in glob.glob(path + "/**/part-*", recursive=True)
    )


def days(s, *rows):
    return s.createDataFrame(list(rows), "x int, day string, hour int").coalesce(1)


def overwritten(s, path, **options):
    days(s, (1, "a", 1), (2, "a", 2), (3, "b", 1)).write.partitionBy("day", "hour").csv(path)
    again = days(s, (4, "a", 2), (5, "c", 1))
    again.write.mode("overwrite").options(**options).partitionBy("day", "hour").csv(path)
    back = s.read.csv(path, schema="x int, day string, hour int")
    return kept(back), os.path.exists(path + "/_SUCCESS"), os.path.exists(path + "/_temporary")


def damaged_gzip(path):
    os.makedirs(path)
    os.chmod(path, 0o777)
    with gzip.open(path + "/a.csv.gz", "wt") as file:
        file.write("1\n2\n")
    with open(path + "/b.csv.gz", "wb") as file:
        file.write(b"no gzip")
    return path


def bad_parquet(path):
    os.makedirs(path)
    os.chmod(path, 0o777)
    with open(path + "/a.parquet", "wb") as file:
        file.write(b"PAR1 no parquet")
    return path


def gone(s, path, **options):
    s.range(4, numPartitions=1).write.csv(path + "/a")
    s.range(4, 6, numPartitions=1).write.csv(path + "/b")
    df = s.read.options(**options).csv([path + "/a", path + "/b"], schema="id long")
    for file in glob.glob(path + "/b/part-*"):
        os.remove(file)
    return kept(df)


def substituted(s):
    for key, value in (("var", "42"), ("text", "'hey'"), ("both", "${my.var} + ${spark:my.var}")):
        s.conf.set("my." + key, value)
    return kept(
        s.sql(
            "SELECT ${my.var} a, ${spark:my.var} b, ${hiveconf:my.var} c, ${hivevar:my.text} d, "
            "${my.both} e, '${' f, '${my.var' g, '$${my.var}' h, '${env:NO_SUCH_NAME}' i, "
            "'${nothing.of.the.kind}' j, '${other:thing}' k, '${${my.var}}' l, '${ }' m"
        )
    )


def circular(s):
    from nbaspark.errors import IllegalArgumentException

    s.conf.set("my.loop", "1 + ${my.other}")
    s.conf.set("my.other", "${my.loop}")
    try:
        return s.sql("SELECT ${my.loop}").collect()
    except IllegalArgumentException as error:
        return str(error).split("\n")[0]


MAPS = (
    "SELECT map(1, 'a', 2, 'b', 1, 'c') a, map_concat(map(1, 'a'), map(2, 'b', 1, 'b')) b, "
    "map_from_arrays(array(1, 2, 1), array('x', 'y', 'z')) c, str_to_map('a:1,b:2,a,c:3') d, "
    "transform_keys(map(1, 2, 3, 4), (k, v) -> 0) e, "
    "map_from_entries(array(struct(1, 2), struct(1, 3))) f"
)
DECIMALS = (
    "SELECT cast(1 as decimal(38,10)) * cast(1.5 as decimal(38,10)) a, "
    "cast(1 as decimal(38,18)) / cast(3 as decimal(38,18)) b, "
    "cast(1 as decimal(10,2)) / cast(3 as decimal(10,2)) c, "
    "cast(1 as decimal(38,5)) + cast(3 as decimal(38,10)) d, "
    "cast(7 as decimal(38,5)) % cast(3 as decimal(38,10)) e, "
    "cast(1 as decimal(20,10)) * cast(2 as decimal(20,10)) f"
)
TABLE = "(SELECT 1 id, 2 ix, 3 y) t"

CASES = {
    "group_by_ordinal": query("SELECT count(*) n FROM range(4) GROUP BY 1", groupByOrdinal=False),
    "group_by_ordinal_key": query(
        "SELECT id % 2 x, count(*) FROM range(4) GROUP BY 1", groupByOrdinal=False
    ),
    "group_by_aliases": query(
        "SELECT id % 2 x, count(*) FROM range(4) GROUP BY x", groupByAliases=False
    ),
    "order_by_ordinal_sort": under(
        {"spark.sql.orderByOrdinal": False},
        lambda s, F: s.sql("SELECT id, -id m FROM range(4) ORDER BY 2").collect(),
    ),
    "map_keys_last_win": query(MAPS, mapKeyDedupPolicy="LAST_WIN"),
    "map_keys_last_win_rows": query(
        "SELECT map_from_arrays(k, array(1, 2, 3)) m FROM VALUES (array(1, 1, 1)), "
        "(array(1, 2, 1)), (NULL), (array(3, 2, 1)) AS t(k)",
        mapKeyDedupPolicy="last_win",
    ),
    "map_keys_exception": query(MAPS),
    "decimals_keep_scale": query(DECIMALS, decimalOperations_allowPrecisionLoss=False),
    "decimals_lose_scale": query(DECIMALS),
    "cross_join_refused": under(
        {"spark.sql.crossJoin.enabled": False},
        condition(lambda s, F: s.sql("SELECT * FROM range(2) a, range(2) b")),
    ),
    "cross_join_one_sided": under(
        {"spark.sql.crossJoin.enabled": False},
        condition(lambda s, F: s.sql("SELECT * FROM range(2) a JOIN range(2) b ON a.id < 1")),
    ),
    "cross_join_full": under(
        {"spark.sql.crossJoin.enabled": False},
        condition(lambda s, F: s.sql("SELECT * FROM range(2) a FULL JOIN range(2) b ON true")),
    ),
    "cross_join_said": query(
        "SELECT * FROM range(2) a CROSS JOIN range(2) b", crossJoin_enabled=False
    ),
    "cross_join_where": query(
        "SELECT * FROM range(2) a, range(3) b WHERE a.id = b.id", crossJoin_enabled=False
    ),
    "cross_join_unequal": query(
        "SELECT * FROM range(2) a LEFT JOIN range(2) b ON a.id < b.id", crossJoin_enabled=False
    ),
    "cross_join_scalar_subquery": query(
        "SELECT id, (SELECT max(id) FROM range(3)) m FROM range(2)", crossJoin_enabled=False
    ),
    "pivot_values": under(
        {"spark.sql.pivotMaxValues": 2},
        lambda s, F: kept(s.range(3).groupBy().pivot("id").count()),
    ),
    "pivot_values_enough": under(
        {"spark.sql.pivotMaxValues": 3},
        lambda s, F: kept(s.range(3).groupBy().pivot("id").count()),
    ),
    "substitute": lambda s, F, W: substituted(s),
    "substitute_off": query("SELECT '${my.var}' a", variable_substitute=False),
    "substitute_loop": lambda s, F, W: circular(s),
    "quoted_pattern": query(f"SELECT `i.*` FROM {TABLE}", parser_quotedRegexColumnNames=True),
    "quoted_pattern_of_table": query(
        f"SELECT t.`(id)?+.+`, y AS z FROM {TABLE}", parser_quotedRegexColumnNames=True
    ),
    "quoted_pattern_plain": query(
        f"SELECT `id`, sum(`y`) OVER () n FROM {TABLE} WHERE `id` = 1",
        parser_quotedRegexColumnNames=True,
    ),
    "quoted_pattern_off": query(f"SELECT `i.*` FROM {TABLE}"),
    "default_source": under(
        {"spark.sql.sources.default": "csv"},
        in_folder(
            lambda s, F, p: (
                s.range(3, numPartitions=1).write.save(p),
                files_below(p),
                kept(s.read.load(p)),
            )[1:]
        ),
    ),
    "overwrite_static": under(
        {"spark.sql.sources.partitionOverwriteMode": "static"},
        in_folder(lambda s, F, p: overwritten(s, p)),
    ),
    "overwrite_dynamic": under(
        {"spark.sql.sources.partitionOverwriteMode": "dynamic"},
        in_folder(lambda s, F, p: overwritten(s, p)),
    ),
    "overwrite_dynamic_option": under(
        {}, in_folder(lambda s, F, p: overwritten(s, p, partitionOverwriteMode="DYNAMIC"))
    ),
    "overwrite_dynamic_unpartitioned": under(
        {"spark.sql.sources.partitionOverwriteMode": "DYNAMIC"},
        in_folder(
            lambda s, F, p: (
                s.range(3).write.csv(p),
                s.range(1).write.csv(p, mode="overwrite"),
                kept(s.read.csv(p)),
            )[2]
        ),
    ),
    "partition_types": under(
        {"spark.sql.sources.partitionColumnTypeInference.enabled": False},
        in_folder(
            lambda s, F, p: (
                days(s, (1, "2020-01-01", 7)).write.partitionBy("day", "hour").csv(p),
                kept(s.read.csv(p)),
            )[1]
        ),
    ),
    "parquet_codec": under(
        {"spark.sql.parquet.compression.codec": "zstd"},
        in_folder(
            lambda s, F, p: (s.range(3, numPartitions=1).write.parquet(p), files_below(p))[1]
        ),
    ),
    "parquet_codec_option": under(
        {"spark.sql.parquet.compression.codec": "zstd"},
        in_folder(
            lambda s, F, p: (
                s.range(3, numPartitions=1).write.parquet(p, compression="none"),
                files_below(p),
            )[1]
        ),
    ),
    "parquet_no_pushdown": under(
        {"spark.sql.parquet.filterPushdown": False},
        in_folder(
            lambda s, F, p: (
                s.range(9, numPartitions=1).write.parquet(p),
                kept(s.read.parquet(p).where("id > 6")),
            )[1]
        ),
    ),
    "corrupt_gzip": under(
        {"spark.sql.files.ignoreCorruptFiles": True},
        in_folder(lambda s, F, p: kept(s.read.csv(damaged_gzip(p), schema="a int"))),
    ),
    "corrupt_gzip_option": under(
        {},
        in_folder(
            lambda s, F, p: kept(
                s.read.option("ignoreCorruptFiles", True).csv(damaged_gzip(p), schema="a int")
            )
        ),
    ),
    "corrupt_text": under(
        {"spark.sql.files.ignoreCorruptFiles": True},
        in_folder(lambda s, F, p: kept(s.read.text(damaged_gzip(p)))),
    ),
    "corrupt_parquet": under(
        {"spark.sql.files.ignoreCorruptFiles": True},
        in_folder(lambda s, F, p: kept(s.read.schema("id long").parquet(bad_parquet(p)))),
    ),
    "missing_file": under(
        {"spark.sql.files.ignoreMissingFiles": True}, in_folder(lambda s, F, p: gone(s, p))
    ),
    "missing_file_option": under(
        {}, in_folder(lambda s, F, p: gone(s, p, ignoreMissingFiles=True))
    ),
    "split_sizes": under(
        {"spark.sql.files.maxPartitionBytes": 65536, "spark.sql.files.openCostInBytes": 1},
        in_folder(
            lambda s, F, p: (
                s.range(40000, numPartitions=1).write.csv(p),
                s.read.csv(p).select(F.spark_partition_id()).distinct().count(),
            )[1]
        ),
    ),
    "open_cost": under(
        {"spark.sql.files.openCostInBytes": 134217728},
        in_folder(
            lambda s, F, p: (
                s.range(5, numPartitions=5).write.csv(p),
                s.read.csv(p).select(F.spark_partition_id()).distinct().count(),
            )[1]
        ),
    ),
}
for name, key, value in (
    ("parquet_codec", "parquet.compression.codec", "x"),
    ("overwrite_mode", "sources.partitionOverwriteMode", "X"),
    ("map_policy", "mapKeyDedupPolicy", "X"),
    ("time_policy", "legacy.timeParserPolicy", "X"),
    ("timestamp_type", "timestampType", "X"),
    ("struct_mode", "execution.pandas.structHandlingMode", "X"),
    ("time_zone", "session.timeZone", "Nowhere"),
    ("pivot_values", "pivotMaxValues", "x"),
    ("ordinal", "groupByOrdinal", "x"),
):
    CASES["refused_" + name] = under({f"spark.sql.{key}": value}, lambda s, F: "taken")
