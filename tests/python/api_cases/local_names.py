# SPDX-License-Identifier: Apache-2.0
"""What is local, names of temporary views as they are listed, and rows sampled with replacement."""


def _views(spark, F, W):
    spark.range(1).createOrReplaceTempView("MiXed_Case")
    try:
        return [
            [t for t in spark.catalog.listTables() if "mixed_case" in t.name.lower()],
            spark.catalog.getTable("MIXED_case"),
            [r for r in spark.sql("show views").collect() if "mixed_case" in r.viewName.lower()],
            spark.table("mixed_CASE").columns,
            spark.catalog.tableExists("Mixed_Case"),
        ]
    finally:
        spark.catalog.dropTempView("mixed_case")


def _sample(n, partitions, fraction, seed):
    return lambda spark, F, W: [
        r.id
        for r in spark.range(n, numPartitions=partitions).sample(True, fraction, seed).collect()
    ]


CASES = {
    "local range": lambda spark, F, W: spark.range(3).isLocal(),
    "local rows": lambda spark, F, W: spark.createDataFrame([(1,)], ["a"]).isLocal(),
    "local values": lambda spark, F, W: spark.sql("select * from values (1) t(a)").isLocal(),
    "local command": lambda spark, F, W: spark.sql("show tables").isLocal(),
    "local projection": lambda spark, F, W: (
        spark.sql("show tables").select("isTemporary").isLocal()
    ),
    "view names": _views,
    "sample half": _sample(60, 3, 0.5, 42),
    "sample twice": _sample(20, 2, 2.0, 7),
    "sample a little": _sample(400, 4, 0.02, -5),
    "sample often": _sample(5, 1, 12.5, 123456789012345),
    "sample nothing": _sample(10, 2, 0.0, 1),
}
