# SPDX-License-Identifier: Apache-2.0
"""input_file_name() and its kin, and the hidden struct _metadata of files."""

import os
import re
import tempfile


def in_folder(use):
    """Make a case of a function that is given a folder with files, whose names in answers are cut."""

    def case(s, F, W):
        with tempfile.TemporaryDirectory(prefix="nbaspark-") as folder:
            os.chmod(folder, 0o777)
            for name, text in (("a b.csv", "1,x\n2,y\n"), ("ç%20.csv", "3,z\n")):
                write(folder, name, text)
            write(folder, "one.txt", "first\nsecond\n")
            write(folder, "one.json", '{"a": 1}\n{"a": 2}\n')
            result = use(s, F, folder)
            return re.sub(r"part-[^.]*", "part", str(result).replace(folder, "<folder>"))

    return case


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o666)
    os.utime(path, (1_700_000_000.123, 1_700_000_000.123))


def kept(df):
    return [(f.name, f.dataType.simpleString(), f.nullable) for f in df.schema], sorted(
        map(repr, df.collect())
    )


def csv(s, p, schema="n int, t string"):
    return s.read.schema(schema).csv(p, pathGlobFilter="*.csv")


def view(s, p):
    csv(s, p).createOrReplaceTempView("file_facts")
    return s


def sql(text):
    return in_folder(
        lambda s, F, p: kept(view(s, p).sql(text.replace("FILES", f"csv.`{p}/a b.csv`")))
    )


NAME = "replace(input_file_name(), '%20', '_')"


def parquet(s, p):
    rows = s.range(0, 4000, 1, 1)
    rows.selectExpr("id", "id % 7 as k", "struct(id as x, 'y' as y) s").write.option(
        "parquet.block.size", 4096
    ).parquet(p + "/pq")
    return s.read.parquet(p + "/pq")


def failing(use):
    def case(s, F, p):
        try:
            return kept(use(s, F, p))
        except Exception as error:
            parameters = error.getMessageParameters()
            return error.getCondition(), error.getSqlState(), sorted((parameters or {}).items())

    return in_folder(case)


CASES = {
    "schema of _metadata": in_folder(lambda s, F, p: csv(s, p).select("_metadata").schema.json()),
    "schema of _metadata, parquet": in_folder(
        lambda s, F, p: parquet(s, p).select("_metadata").schema.json()
    ),
    "csv": in_folder(lambda s, F, p: kept(csv(s, p).select("*", "_metadata.*"))),
    "csv, whole struct": in_folder(lambda s, F, p: kept(csv(s, p).select("n", "_metadata"))),
    "json": in_folder(
        lambda s, F, p: kept(s.read.json(p + "/one.json").select("*", "_metadata.*"))
    ),
    "text": in_folder(lambda s, F, p: kept(s.read.text(p + "/one.txt").select("*", "_metadata.*"))),
    "text, whole": in_folder(
        lambda s, F, p: kept(s.read.text(p + "/one.txt", wholetext=True).select("_metadata.*"))
    ),
    "no part of a star": in_folder(lambda s, F, p: csv(s, p).columns),
    "functions": in_folder(
        lambda s, F, p: kept(
            csv(s, p).select(
                "n",
                F.input_file_name(),
                F.input_file_block_start(),
                F.input_file_block_length(),
            )
        )
    ),
    "functions without a file": in_folder(
        lambda s, F, p: kept(
            s.range(1).select(
                F.input_file_name(), F.input_file_block_start(), F.input_file_block_length()
            )
        )
    ),
    "blocks of a split file": in_folder(
        lambda s, F, p: (
            write(p, "long.txt", "".join(f"{i:09}\n" for i in range(4096))),
            s.conf.set("spark.sql.files.maxPartitionBytes", "16384"),
            kept(
                s.read.text(p + "/long.txt")
                .groupBy(F.input_file_block_start(), F.input_file_block_length())
                .agg(F.count("*"), F.min("value"), F.min("_metadata.file_block_start"))
            ),
            s.conf.unset("spark.sql.files.maxPartitionBytes"),
        )[2]
    ),
    "compressed": in_folder(
        lambda s, F, p: (
            s.range(10).coalesce(1).write.csv(p + "/gz", compression="gzip"),
            kept(
                s.read.csv(p + "/gz").selectExpr(
                    "_metadata.file_block_start",
                    "_metadata.file_block_length = _metadata.file_size",
                )
            ),
        )[1]
    ),
    "partitions": in_folder(
        lambda s, F, p: (
            s.range(4)
            .selectExpr("id", "id % 2 as k")
            .coalesce(1)
            .write.partitionBy("k")
            .csv(p + "/ks"),
            kept(
                s.read.csv(p + "/ks").selectExpr(
                    "*", "split(_metadata.file_path, '/')[4]", "split(input_file_name(), '/')[6]"
                )
            ),
        )[1]
    ),
    "row_index": in_folder(
        lambda s, F, p: kept(
            parquet(s, p).selectExpr("count(*)", "sum(abs(_metadata.row_index - id))", "max(id)")
        )
    ),
    "row_index behind a filter": in_folder(
        lambda s, F, p: kept(
            parquet(s, p).where("id in (5, 1999, 2000, 3999)").select("id", "_metadata.row_index")
        )
    ),
    "row_index in a filter": in_folder(
        lambda s, F, p: kept(parquet(s, p).where("_metadata.row_index % 1000 = 7").select("id"))
    ),
    "row_index is no field of csv": failing(
        lambda s, F, p: csv(s, p).select("_metadata.row_index")
    ),
    "no such field": failing(lambda s, F, p: csv(s, p).select("_metadata.other")),
    "field in other letters": in_folder(
        lambda s, F, p: kept(csv(s, p).select("_METADATA.File_Name"))
    ),
    "a column of that name": in_folder(
        lambda s, F, p: kept(csv(s, p, "_metadata int, t string").select("_metadata"))
    ),
    "a column of that name, field": failing(
        lambda s, F, p: csv(s, p, "_metadata int, t string").select("_metadata.file_name")
    ),
    "of the DataFrame": in_folder(
        lambda s, F, p: (
            lambda df: kept(df.select(df["_metadata.file_name"], df._metadata.file_size))
        )(csv(s, p))
    ),
    "behind select": in_folder(
        lambda s, F, p: kept(csv(s, p).select("n").select("n", "_metadata.file_name"))
    ),
    "behind withColumn and filter": in_folder(
        lambda s, F, p: kept(
            csv(s, p)
            .withColumn("m", F.col("n") * 2)
            .where("n > 1")
            .select("m", "_metadata.file_name")
        )
    ),
    "behind orderBy and limit": in_folder(
        lambda s, F, p: kept(csv(s, p).orderBy("n").limit(2).select("n", "_metadata.file_name"))
    ),
    "behind groupBy": failing(
        lambda s, F, p: csv(s, p).groupBy("n").count().select("_metadata.file_name")
    ),
    "behind distinct": failing(lambda s, F, p: csv(s, p).distinct().select("_metadata.file_name")),
    "behind union": failing(
        lambda s, F, p: csv(s, p).union(csv(s, p)).select("_metadata.file_name")
    ),
    "behind alias": in_folder(
        lambda s, F, p: kept(
            csv(s, p).alias("a").select("a._metadata.file_name", "_metadata.file_name")
        )
    ),
    "behind alias of select": failing(
        lambda s, F, p: csv(s, p).select("n").alias("a").select("_metadata.file_name")
    ),
    "behind join": in_folder(
        lambda s, F, p: kept(
            csv(s, p)
            .join(s.range(3).withColumnRenamed("id", "n"), "n")
            .select("n", "_metadata.file_name")
        )
    ),
    "behind join of two": failing(
        lambda s, F, p: (
            csv(s, p)
            .alias("a")
            .join(csv(s, p).alias("b"), F.expr("a.n = b.n"))
            .select("a.n", "a._metadata.file_name", "b._metadata.file_name")
        )
    ),
    "behind join of two, no alias": failing(
        lambda s, F, p: csv(s, p).join(csv(s, p), "n").select("_metadata.file_name")
    ),
    "no metadata": failing(lambda s, F, p: s.range(3).select("_metadata")),
    "in groups": in_folder(
        lambda s, F, p: kept(csv(s, p).groupBy("_metadata.file_name").agg(F.sum("n")))
    ),
    "in filter": in_folder(
        lambda s, F, p: kept(csv(s, p).where("_metadata.file_name like 'a%'").select("n"))
    ),
    "in orderBy (sort)": in_folder(
        lambda s, F, p: csv(s, p).orderBy(F.desc("_metadata.file_name"), "n").collect()
    ),
    "written": in_folder(
        lambda s, F, p: (
            csv(s, p).select("n", "_metadata.file_size").coalesce(1).write.json(p + "/w"),
            kept(s.read.json(p + "/w")),
        )[1]
    ),
    "function behind orderBy": in_folder(
        lambda s, F, p: kept(csv(s, p).orderBy("n").select("n", F.input_file_name()))
    ),
    "function behind sortWithinPartitions": in_folder(
        lambda s, F, p: kept(csv(s, p).sortWithinPartitions("n").select("n", F.input_file_name()))
    ),
    "function behind limit": in_folder(
        lambda s, F, p: kept(csv(s, p).limit(2).select(F.input_file_name()))
    ),
    "function behind repartition": in_folder(
        lambda s, F, p: kept(csv(s, p).repartition(3).select(F.input_file_name()))
    ),
    "function behind coalesce": in_folder(
        lambda s, F, p: kept(csv(s, p).coalesce(1).select("n", F.input_file_name()))
    ),
    "function behind groupBy": in_folder(
        lambda s, F, p: kept(csv(s, p).groupBy("n").count().select("n", F.input_file_name()))
    ),
    "function behind union": in_folder(
        lambda s, F, p: kept(
            csv(s, p)
            .select("n")
            .union(s.range(2).selectExpr("int(id)"))
            .select("n", F.input_file_name())
        )
    ),
    "function behind explode": in_folder(
        lambda s, F, p: kept(
            csv(s, p)
            .selectExpr("n", "explode(array(1, 2)) e")
            .select("n", "e", F.input_file_name())
        )
    ),
    "function over two sources": failing(
        lambda s, F, p: csv(s, p).join(csv(s, p), "n").select(F.input_file_name())
    ),
    "function in groups": in_folder(
        lambda s, F, p: kept(csv(s, p).groupBy(F.input_file_name().alias("f")).agg(F.sum("n")))
    ),
    "function in filter": in_folder(
        lambda s, F, p: kept(csv(s, p).where(F.input_file_name().contains("a%20b")).select("n"))
    ),
    "function of cached rows": in_folder(
        lambda s, F, p: (
            lambda df: (
                df.cache(),
                df.count(),
                kept(df.select("n", F.input_file_name())),
                df.unpersist(),
            )[2]
        )(csv(s, p).where("n > 0"))
    ),
    **{
        f"sql: {text}": sql(text)
        for text in (
            "SELECT *, _metadata.file_size FROM FILES",
            "SELECT _metadata.file_name, count(*) FROM FILES GROUP BY ALL",
            "SELECT f._metadata.file_name FROM FILES f",
            f"SELECT DISTINCT {NAME} LIKE 'file:///%/a_b.csv' FROM FILES",
            "SELECT n, _metadata.file_size FROM file_facts",
            "SELECT file_facts._metadata.file_size FROM file_facts",
            "SELECT x.n, (SELECT max(_metadata.file_size) FROM FILES) FROM file_facts x",
        )
    },
    **{
        f"sql fails: {text}": failing(
            lambda s, F, p, text=text: view(s, p).sql(text.replace("FILES", f"csv.`{p}/a b.csv`"))
        )
        for text in (
            "SELECT _metadata.file_size FROM (SELECT * FROM FILES)",
            "SELECT _metadata.file_size FROM (SELECT * FROM FILES) q",
            "WITH q AS (SELECT * FROM FILES) SELECT _metadata.file_size FROM q",
            "SELECT other._metadata.file_size FROM FILES f",
            "SELECT _metadata FROM VALUES (1) v",
            "SELECT input_file_name(1)",
            "SELECT max(input_file_name()) FROM FILES",
        )
    },
}
