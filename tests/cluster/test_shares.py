# SPDX-License-Identifier: Apache-2.0
"""Who reads what of files: tasks have equal shares, and small build sides of joins are the driver's."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harness import Cluster

from nbaspark.sql import functions as F

ROWS, GROUP = 40_000, 1000


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(
        tmp_path / "cluster", conf="nbaspark.cluster.minRows 1000\nnbaspark.cluster.shareBytes 2k\n"
    )
    for _ in range(2):
        made.add()
    yield made
    made.stop()


@pytest.fixture
def folder(tmp_path):
    ids = pa.array(range(ROWS), "int64")
    pq.write_table(pa.table({"id": ids}), tmp_path / "facts.parquet", row_group_size=GROUP)
    for name, n in (("few", 50), ("more", 1200)):
        table = pa.table(
            {"k": pa.array(range(n), "int64"), "c": [f"name {i % 5}" for i in range(n)]}
        )
        pq.write_table(table, tmp_path / f"{name}.parquet", compression="gzip")
    return tmp_path


def scans(cluster):
    """The records that each task of each stage with a scan has read, in the order of the stages."""

    def get(path):
        return json.loads(cluster.page(cluster.master, f"/api/v1/applications{path}"))

    app = get("")[0]["id"]
    found = [s for s in get(f"/{app}/stages?status=complete") if "Scan" in s["details"]]
    tasks = [
        get(f"/{app}/stages/{s['stageId']}/0/taskList")
        for s in sorted(found, key=lambda s: s["stageId"])
    ]
    return [[t["taskMetrics"]["inputMetrics"]["recordsRead"] for t in of] for of in tasks]


def test_every_task_has_the_same_share_of_row_groups(cluster, folder):
    facts = cluster.session().read.parquet(str(folder / "facts.parquet"))
    total = facts.agg(F.sum("id"), F.count("*"), F.max(F.col("id") % 7)).collect()[0]
    assert tuple(total) == (ROWS * (ROWS - 1) // 2, ROWS, 6)
    (read,) = scans(cluster)
    assert len(read) in (2, 4) and sum(read) == ROWS
    assert max(read) - min(read) <= GROUP, read


@pytest.mark.parametrize(("names", "n", "stages"), [("few", 50, 1), ("more", 1200, 2)])
def test_a_small_build_side_takes_no_task(cluster, folder, names, n, stages):
    spark = cluster.session()
    facts, names = (spark.read.parquet(str(folder / f"{t}.parquet")) for t in ("facts", names))
    joined = facts.join(names.filter("c <> 'name 0'"), facts.id % 2000 == names.k)
    rows = joined.groupBy("c").agg(F.count("*")).sort("c").collect()
    assert [tuple(r) for r in rows] == [(f"name {i}", ROWS // 2000 * (n // 5)) for i in range(1, 5)]
    assert len(scans(cluster)) == stages
