# SPDX-License-Identifier: Apache-2.0
"""K-means costs at most what it costs on Apache Spark: same rows, k and seed.

Spark's costs are in tests/data/oracle/kmeans_costs.json; `NBASPARK_RECORD=1 pytest --engine spark
tests/python/test_ml_costs.py` writes them anew.
"""

import json
import os
import random
from pathlib import Path

import pytest

from nbaspark.ml.clustering import KMeans
from nbaspark.ml.feature import VectorAssembler

COSTS = Path(__file__).parents[1] / "data" / "oracle" / "kmeans_costs.json"
RECORDING = bool(os.environ.get("NBASPARK_RECORD"))


def _rows(seed):
    """Even noise, or clusters of several widths, in one to eight dimensions."""
    rng = random.Random(seed)
    n, d = rng.choice([10, 30, 100, 400, 1000]), rng.choice([1, 2, 3, 5, 8])
    clusters = rng.choice([0, 2, 3, 5, 9])
    middles = [[rng.uniform(-100, 100) for _ in range(d)] for _ in range(clusters)]
    if not middles:
        return [[rng.uniform(0, 1) for _ in range(d)] for _ in range(n)]
    rows = []
    for _ in range(n):
        middle, width = rng.choice(middles), rng.choice([1, 5, 30])
        rows.append([x + rng.gauss(0, width) for x in middle])
    return rows


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("seed", range(24))
def test_cost(spark, engine, seed, distance):
    rows = _rows(seed)
    names = [f"x{i}" for i in range(len(rows[0]))]
    if distance == "cosine" and len(names) == 1:
        rows, names = [[x[0], 1.0] for x in rows], ["x0", "x1"]
    df = spark.createDataFrame(rows, names)
    df = VectorAssembler(inputCols=names, outputCol="features").transform(df)
    model = KMeans(k=2 + seed % 7, seed=seed, distanceMeasure=distance).fit(df)
    costs = json.loads(COSTS.read_text()) if COSTS.exists() else {}
    cost, case = model.summary.trainingCost, f"{distance} {seed}"
    if RECORDING:
        assert engine == "spark"
        COSTS.write_text(json.dumps({**costs, case: cost}, indent=1, sort_keys=True) + "\n")
    else:
        assert cost <= costs[case] * (1 + 1e-9)
