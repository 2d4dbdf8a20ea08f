# SPDX-License-Identifier: Apache-2.0
"""Files written and read back: modes, partitions, headers, schemas, paths."""

import glob
import os
import tempfile


def in_folder(use):
    """Make a case of a function that is given a fresh folder."""

    def case(s, F, W):
        with tempfile.TemporaryDirectory(prefix="nbaspark-") as folder:
            os.chmod(folder, 0o777)
            return use(s, F, os.path.join(folder, "out"))

    return case


def kept(df):
    """Return schema and rows of a DataFrame whose files are about to go."""
    return df.dtypes, sorted(map(repr, df.collect()))


def people(s):
    return s.createDataFrame(
        [("Ana", 11, 1.5), ("Bia, b.", None, 2.0), (None, 5, -0.25)],
        "name string, age int, score double",
    ).coalesce(1)


def written(s, path, **options):
    people(s).write.csv(path, **options)
    return "".join(open(f, encoding="utf-8").read() for f in sorted(glob.glob(path + "/part-*")))


def text_file(path, text, encoding="utf-8"):
    with open(path, "w", encoding=encoding, newline="") as file:
        file.write(text)
    os.chmod(path, 0o666)
    return path


def read(s, path, text, **options):
    encoding = options.get("encoding", "utf-8")
    return kept(s.read.csv(text_file(path + ".csv", text, encoding), **options))


PEOPLE = 'name,age,born\nAna,11,2012-03-04\n"Bia, b.",,2018-01-01\n"say ""hi""",7,\n'


CASES = {
    "csv_text": in_folder(lambda s, F, p: written(s, p)),
    "csv_text_header": in_folder(lambda s, F, p: written(s, p, header=True)),
    "csv_text_options": in_folder(
        lambda s, F, p: written(s, p, header=True, sep=";", nullValue="-", quoteAll=True)
    ),
    "csv_text_null_value": in_folder(lambda s, F, p: written(s, p, nullValue="NULL")),
    "csv_files": in_folder(
        lambda s, F, p: (
            people(s).write.csv(p),
            sorted(os.path.splitext(f)[1] for f in os.listdir(p) if f[0] not in "._"),
            "_SUCCESS" in os.listdir(p),
        )[1:]
    ),
    "csv_round_trip": in_folder(
        lambda s, F, p: (people(s).write.csv(p, header=True), kept(s.read.csv(p, header=True)))[1]
    ),
    "csv_round_trip_schema": in_folder(
        lambda s, F, p: (
            people(s).write.csv(p),
            kept(s.read.csv(p, schema="name string, age int, score double")),
        )[1]
    ),
    "csv_round_trip_inferred": in_folder(
        lambda s, F, p: (
            people(s).write.csv(p, header=True),
            kept(s.read.csv(p, header=True, inferSchema=True)),
        )[1]
    ),
    "mode_error": in_folder(
        lambda s, F, p: (s.range(1).write.csv(p), _condition(lambda: s.range(1).write.csv(p)))[1]
    ),
    "mode_overwrite": in_folder(
        lambda s, F, p: (
            s.range(3).write.csv(p),
            s.range(5, 7).write.mode("overwrite").csv(p),
            kept(s.read.csv(p)),
        )[2]
    ),
    "mode_append": in_folder(
        lambda s, F, p: (
            s.range(2).write.csv(p),
            s.range(1).write.csv(p, mode="append"),
            kept(s.read.csv(p)),
        )[2]
    ),
    "mode_ignore": in_folder(
        lambda s, F, p: (
            s.range(2).write.csv(p),
            s.range(9).write.csv(p, mode="ignore"),
            kept(s.read.csv(p)),
        )[2]
    ),
    "partitions": in_folder(
        lambda s, F, p: (
            people(s)
            .withColumn("k", F.coalesce("age", F.lit(0)) % 2)
            .write.partitionBy("k")
            .csv(p),
            sorted(f for f in os.listdir(p) if f.startswith("k=")),
            kept(s.read.csv(p)),
        )[1:]
    ),
    "partition_of_null": in_folder(
        lambda s, F, p: (
            people(s).write.partitionBy("name").csv(p),
            sorted(f for f in os.listdir(p) if f.startswith("name=")),
            kept(s.read.csv(p, schema="age int, score double")),
        )[1:]
    ),
    "partition_all_columns": in_folder(
        lambda s, F, p: _condition(lambda: s.range(1).write.partitionBy("id").csv(p))
    ),
    "partition_unknown": in_folder(
        lambda s, F, p: _condition(lambda: s.range(1).write.partitionBy("no").csv(p))
    ),
    "text_round_trip": in_folder(
        lambda s, F, p: (
            s.createDataFrame([("a",), ("b é",), ("",)], "value string").coalesce(1).write.text(p),
            kept(s.read.text(p)),
        )[1]
    ),
    "text_two_columns": in_folder(lambda s, F, p: _condition(lambda: people(s).write.text(p))),
    "text_number_column": in_folder(lambda s, F, p: _condition(lambda: s.range(1).write.text(p))),
    "text_whole": in_folder(
        lambda s, F, p: kept(s.read.text(text_file(p + ".txt", "a\nb\n"), wholetext=True))
    ),
    "parquet_round_trip": in_folder(
        lambda s, F, p: (people(s).write.parquet(p), kept(s.read.parquet(p)))[1]
    ),
    "parquet_selected": in_folder(
        lambda s, F, p: (
            people(s).write.parquet(p),
            kept(s.read.parquet(p).filter("age > 6").select("name")),
        )[1]
    ),
    "parquet_default_format": in_folder(
        lambda s, F, p: (people(s).write.save(p), kept(s.read.load(p)))[1]
    ),
    "json_round_trip": in_folder(
        lambda s, F, p: (people(s).write.json(p), kept(s.read.json(p)))[1]
    ),
    "databricks_name": in_folder(
        lambda s, F, p: (
            people(s).write.format("com.databricks.spark.csv").option("header", "true").save(p),
            kept(s.read.format("com.databricks.spark.csv").option("header", "true").load(p)),
        )[1]
    ),
    "unknown_format": in_folder(
        lambda s, F, p: _condition(lambda: s.read.format("nothing").load(p).schema)
    ),
    "read_header": in_folder(lambda s, F, p: read(s, p, PEOPLE, header=True)),
    "read_no_header": in_folder(lambda s, F, p: read(s, p, PEOPLE)),
    "read_inferred": in_folder(lambda s, F, p: read(s, p, PEOPLE, header=True, inferSchema=True)),
    "read_schema": in_folder(
        lambda s, F, p: read(s, p, PEOPLE, header=True, schema="name string, age short, born date")
    ),
    "read_latin1": in_folder(
        lambda s, F, p: read(s, p, "á;ç\n1,5;é\n", header=True, sep=";", encoding="ISO-8859-1")
    ),
    "read_null_value": in_folder(
        lambda s, F, p: read(s, p, "a,b\nNA,1\n-,NA\n", header=True, nullValue="NA")
    ),
    "read_ragged": in_folder(lambda s, F, p: read(s, p, "a,b\n1\n1,2,3\n", header=True)),
    "read_spaces": in_folder(
        lambda s, F, p: read(
            s,
            p,
            "a , b\n 1 , 2 \n",
            header=True,
            ignoreLeadingWhiteSpace=True,
            ignoreTrailingWhiteSpace=True,
        )
    ),
    "read_comment": in_folder(
        lambda s, F, p: read(s, p, "#x\na,b\n#y\n1,2\n", header=True, comment="#")
    ),
    "read_multiline": in_folder(
        lambda s, F, p: read(s, p, 'a,b\n"x\ny",2\n', header=True, multiLine=True)
    ),
    "read_same_names": in_folder(lambda s, F, p: read(s, p, "a,a,\n1,2,3\n", header=True)),
    "read_empty_file": in_folder(lambda s, F, p: read(s, p, "")),
    "read_only_header": in_folder(lambda s, F, p: read(s, p, "a,b\n", header=True)),
    "read_permissive": in_folder(
        lambda s, F, p: read(s, p, "1,x\ny,2\n", schema="a int, b string")
    ),
    "read_drop_malformed": in_folder(
        lambda s, F, p: read(s, p, "1,x\ny,2\n", schema="a int, b string", mode="DROPMALFORMED")
    ),
    "read_corrupt_record": in_folder(
        lambda s, F, p: read(
            s,
            p,
            "1,x\ny,2\n",
            schema="a int, b string, bad string",
            columnNameOfCorruptRecord="bad",
        )
    ),
    "read_fail_fast": in_folder(
        lambda s, F, p: _condition(
            lambda: read(s, p, "1,x\ny,2\n", schema="a int, b string", mode="FAILFAST")
        )
    ),
    "read_formats": in_folder(
        lambda s, F, p: read(
            s,
            p,
            "01/02/2020,2020-01-02 03:04\n",
            schema="d date, t timestamp",
            dateFormat="dd/MM/yyyy",
            timestampFormat="yyyy-MM-dd HH:mm",
        )
    ),
    "read_glob": in_folder(
        lambda s, F, p: (
            text_file(p + "-1.csv", "1\n"),
            text_file(p + "-2.csv", "2\n"),
            kept(s.read.csv(p + "-*.csv")),
            kept(s.read.csv([p + "-1.csv", p + "-2.csv"])),
        )[2:]
    ),
    "read_missing": lambda s, F, W: s.read.csv("/no/such/file.csv"),
    "read_missing_glob": lambda s, F, W: s.read.csv("/no/such/*.csv"),
    "read_folder_of_nothing": in_folder(
        lambda s, F, p: (os.mkdir(p), _condition(lambda: s.read.csv(p).schema))[1]
    ),
    "read_bad_option": in_folder(
        lambda s, F, p: _condition(lambda: read(s, p, "a\n", mode="SOMETIMES"))
    ),
    "csv_of_text_column": lambda s, F, W: s.read.csv(
        s.createDataFrame([("1,a",), ("2,b",)], "value string"), schema="n int, t string"
    ),
    "write_array_as_csv": in_folder(
        lambda s, F, p: _condition(lambda: s.sql("select array(1) as a").write.csv(p))
    ),
    "write_bad_cast_keeps_old": in_folder(
        lambda s, F, p: (
            s.range(2).write.csv(p),
            _condition(
                lambda: (
                    s.createDataFrame([("x",)], "a string")
                    .selectExpr("cast(a as int)")
                    .write.mode("overwrite")
                    .csv(p)
                )
            )
            is not None,
        )[1]
    ),
    "input_files": in_folder(
        lambda s, F, p: (s.range(1).coalesce(1).write.csv(p), len(s.read.csv(p).inputFiles()))[1]
    ),
}


def _condition(act):
    """Return class and condition of the exception that something raises."""
    from nbaspark.errors import PySparkException

    try:
        act()
    except PySparkException as error:
        return type(error).__name__, error.getCondition(), error.getSqlState()
    return None
