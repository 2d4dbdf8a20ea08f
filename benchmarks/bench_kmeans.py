# SPDX-License-Identifier: Apache-2.0
"""K-means beside scikit-learn and Spark: ./dev bench bench_kmeans [ROWS]

k = 8, 20 iterations, tol = 0, 2 threads, medians of 5. Ours reads a cached DataFrame through a VectorAssembler; scikit-learn gets
the bare array. Where Java is there, Apache Spark runs the same program as ours on 200,000 × 20: each in a process of its own, the
same file, a cached DataFrame, the second fit of two (of five with ours).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "2"

import numpy as np  # noqa: E402
from engines import CLEAN, environment  # noqa: E402
from harness import Report  # noqa: E402

from nbaspark.ml.clustering import KMeans  # noqa: E402
from nbaspark.ml.feature import VectorAssembler  # noqa: E402
from nbaspark.sql import SparkSession  # noqa: E402

SPARK_ROWS, SPARK_FEATURES = 200_000, 20
PROGRAM = """
import json, sys
from statistics import median
from time import perf_counter
from {package}.ml.clustering import KMeans
from {package}.ml.feature import VectorAssembler
from {package}.sql import SparkSession

builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
spark = builder.config("spark.driver.memory", "6g").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
df = spark.read.parquet(sys.argv[1]).cache()
df.count()
assembled = VectorAssembler(inputCols=df.columns, outputCol="features").transform(df)
seconds = []
for seed in range(int(sys.argv[2])):
    start = perf_counter()
    model = KMeans(k=8, maxIter=20, tol=0.0, seed=seed).fit(assembled)
    seconds.append(perf_counter() - start)
print(json.dumps([median(seconds[1:]), model.summary.trainingCost]))
spark.stop()
"""


def fit_ours(assembled):
    model = KMeans(k=8, maxIter=20, tol=0.0, seed=1).fit(assembled)
    return model.summary.trainingCost


def fit_scikit_learn(data):
    from sklearn.cluster import KMeans as Peer

    peer = Peer(8, algorithm="lloyd", n_init=1, tol=0, max_iter=20, random_state=1)
    return peer.fit(data).inertia_


def frame(spark, data):
    return spark.createDataFrame(data, [f"f{i}" for i in range(data.shape[1])])


def beside_scikit_learn(report, spark, data):
    df = frame(spark, data).cache()
    df.count()
    assembled = VectorAssembler(inputCols=df.columns, outputCol="features").transform(df)
    rows, features = data.shape
    report.pair(
        f"{rows} x {features}",
        lambda: fit_ours(assembled),
        lambda: fit_scikit_learn(data),
        "scikit-learn",
    )
    print(f"  costs {fit_ours(assembled):.6g} and {fit_scikit_learn(data):.6g}")
    df.unpersist()


def beside_spark(report, spark, data):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "points")
        frame(spark, data).write.parquet(path)

        def run(interpreter, package, fits):
            command = [interpreter, "-c", PROGRAM.format(package=package), path, str(fits)]
            env = CLEAN if package == "pyspark" else None
            out = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=env)
            return json.loads(out.stdout.splitlines()[-1])

        ours, our_cost = run(sys.executable, "nbaspark", 6)
        peer, peer_cost = run(environment("pyspark"), "pyspark", 2)
    report.add(f"{len(data)} x {data.shape[1]}", ours, "Apache Spark", peer)
    print(f"  costs {our_cost:.6g} and {peer_cost:.6g}; {peer / ours:.0f} times as fast")


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    report = Report("kmeans")
    rng = np.random.default_rng(1)
    for features in (3, 20):
        beside_scikit_learn(report, spark, rng.random((rows, features)))
    if shutil.which("java"):
        beside_spark(report, spark, rng.random((SPARK_ROWS, SPARK_FEATURES)))
    report.save()
    spark.stop()


if __name__ == "__main__":
    main()
