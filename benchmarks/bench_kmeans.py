# SPDX-License-Identifier: Apache-2.0
"""K-means on 1 M rows against scikit-learn: python benchmarks/bench_kmeans.py [ROWS]

k = 8, 20 iterations, tol = 0, 2 threads, medians of 5. Ours reads a cached DataFrame through a
VectorAssembler; scikit-learn gets the bare array. Prints seconds, and the cost of each result.
"""

import os
import sys
from statistics import median
from time import perf_counter

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "2"

import numpy as np  # noqa: E402

from nbaspark.ml.clustering import KMeans  # noqa: E402
from nbaspark.ml.feature import VectorAssembler  # noqa: E402
from nbaspark.sql import SparkSession  # noqa: E402

RUNS = 5


def timed(fit):
    """Return the median of the seconds, and the cost of the last run."""
    seconds = []
    for seed in range(RUNS):
        started = perf_counter()
        cost = fit(seed)
        seconds.append(perf_counter() - started)
    return median(seconds), cost


def ours(spark, data):
    names = [f"f{i}" for i in range(data.shape[1])]
    df = spark.createDataFrame(data, names).cache()
    df.count()
    assembled = VectorAssembler(inputCols=names, outputCol="features").transform(df)

    def fit(seed):
        model = KMeans(k=8, maxIter=20, tol=0.0, seed=seed).fit(assembled)
        return model.summary.trainingCost

    result = timed(fit)
    df.unpersist()
    return result


def scikit_learn(data):
    from sklearn.cluster import KMeans as Peer

    def fit(seed):
        peer = Peer(8, algorithm="lloyd", n_init=1, tol=0, max_iter=20, random_state=seed)
        return peer.fit(data).inertia_

    return timed(fit)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    rng = np.random.default_rng(1)
    for features in (3, 20):
        data = rng.random((rows, features))
        seconds, cost = ours(spark, data)
        print(f"{rows} x {features}  nbaspark      {seconds:7.3f} s  cost {cost:.6g}")
        try:
            peer_seconds, peer_cost = scikit_learn(data)
        except ImportError:
            print("scikit-learn is not installed")
            continue
        print(f"{rows} x {features}  scikit-learn  {peer_seconds:7.3f} s  cost {peer_cost:.6g}")
        print(f"ratio {seconds / peer_seconds:.2f}")
    spark.stop()


if __name__ == "__main__":
    main()
