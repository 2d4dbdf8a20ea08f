#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Record what Spark 4.2 saves of a fitted pipeline, and what it predicts with it, in ml_models/.

Usage: python tests/data/oracle/record_ml_models.py sc://HOST:PORT     (a server on this machine)
"""

import json
import shutil
import sys
from pathlib import Path

from pyspark.ml import Pipeline
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import (
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
    StringIndexer,
    VectorAssembler,
)
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession

TARGET = Path(__file__).with_name("ml_models")


def rows():
    return [(float(i), float(i % 7), "çab"[i % 3]) for i in range(100)]


spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
df = spark.createDataFrame(rows(), ["a", "b", "c"])
stages = [
    VectorAssembler(inputCols=["a", "b"], outputCol="f0"),
    StandardScaler(inputCol="f0", outputCol="f1", withMean=True),
    MinMaxScaler(inputCol="f1", outputCol="features"),
    StringIndexer(inputCol="c", outputCol="ci"),
    OneHotEncoder(inputCol="ci", outputCol="co"),
    KMeans(k=3, seed=1),
    LinearRegression(labelCol="a", predictionCol="p2", regParam=0.1),
]
shutil.rmtree(TARGET, ignore_errors=True)
Pipeline(stages=stages).write().save(str(TARGET / "pipeline"))
model = Pipeline(stages=stages).fit(df)
model.write().save(str(TARGET / "model"))
answers = [[float(v) for v in r] for r in model.transform(df).select("prediction", "p2").collect()]
(TARGET / "rows.json").write_text(
    json.dumps({"rows": rows(), "answers": answers}, ensure_ascii=False) + "\n", encoding="utf-8"
)
for crc in TARGET.rglob(".*.crc"):
    crc.unlink()
