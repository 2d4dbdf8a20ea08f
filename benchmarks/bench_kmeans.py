# SPDX-License-Identifier: Apache-2.0
"""K-means on a million rows, 20 iterations, beside scikit-learn's Lloyd on the bare array."""

import os
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np
from harness import Report
from sklearn.cluster import KMeans as Peer

from nbaspark.ml.clustering import KMeans
from nbaspark.ml.feature import VectorAssembler
from nbaspark.sql import SparkSession


def main() -> None:
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    report = Report("kmeans")
    for d in (3, 20):
        rng = np.random.default_rng(1)
        data = rng.normal(size=(1_000_000, d)) + rng.integers(0, 8, size=(1_000_000, 1)) * 3.0
        names = [f"x{i}" for i in range(d)]
        frame = spark.createDataFrame(data, names).cache()
        frame.count()
        features = VectorAssembler(inputCols=names, outputCol="features").transform(frame)
        ours = KMeans(k=8, maxIter=20, tol=0.0, seed=1)
        peer = Peer(n_clusters=8, algorithm="lloyd", n_init=1, max_iter=20, tol=0, random_state=1)
        report.pair(
            f"k=8, 1 M x {d}", partial(ours.fit, features), partial(peer.fit, data), "scikit-learn"
        )
    report.save()


if __name__ == "__main__":
    main()
