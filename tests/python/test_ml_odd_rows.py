# SPDX-License-Identifier: Apache-2.0
"""NaN, null and negative values where models predict and index: what Spark 4.2 does with them."""

import math

import pytest

from nbaspark.errors import IllegalArgumentException, PySparkException, UnknownException
from nbaspark.ml.clustering import KMeans
from nbaspark.ml.evaluation import ClusteringEvaluator
from nbaspark.ml.feature import MinMaxScaler, OneHotEncoder, StandardScaler, StringIndexer
from nbaspark.ml.linalg import SparseVector, Vectors
from nbaspark.sql import functions as F

NAN = float("nan")


def vectors(spark, *rows):
    return spark.createDataFrame([(v,) for v in rows], ["features"])


def test_k_means_refuses_nan(spark):
    data = vectors(spark, Vectors.dense(1, 1), Vectors.dense(9, 8), Vectors.dense(8, 9))
    model = KMeans(k=2, seed=1).fit(data)
    for odd in (Vectors.dense(NAN, 1), Vectors.sparse(2, [0], [NAN])):
        with pytest.raises(PySparkException, match="Both norms should be greater or equal to 0.0"):
            model.transform(vectors(spark, odd)).collect()
        with pytest.raises(IllegalArgumentException, match="norm2=NaN"):
            model.predict(odd)


@pytest.mark.parametrize(
    ("order", "labels"),
    [("frequencyDesc", ["2.0", "1.0"]), ("frequencyAsc", ["1.0", "2.0"])],
)
def test_nan_is_no_label(spark, order, labels):
    data = spark.createDataFrame([(x,) for x in (1.0, NAN, 2.0, NAN, NAN, 2.0)], "x double")
    indexer = StringIndexer(inputCol="x", outputCol="i", stringOrderType=order)
    kept = indexer.setHandleInvalid("keep").fit(data)
    assert kept.labels == labels
    rows = kept.transform(data).collect()
    assert [r.i for r in rows if math.isnan(r.x)] == [2.0, 2.0, 2.0]
    skipped = indexer.setHandleInvalid("skip").fit(data).transform(data).collect()
    assert [r.x for r in skipped] == [1.0, 2.0, 2.0]
    with pytest.raises(PySparkException, match="Unseen label: NaN"):
        indexer.setHandleInvalid("error").fit(data).transform(data).collect()


def test_one_hot_keeps_negative_values(spark):
    data = spark.createDataFrame([(0.0,), (1.0,), (2.0,)], "x double")
    model = OneHotEncoder(inputCol="x", outputCol="o", handleInvalid="keep").fit(data)
    odd = spark.createDataFrame([(-1.0,)], "x double")
    assert model.transform(odd).first().o == SparseVector(3, {})
    nothing = spark.createDataFrame([], "x double")
    assert OneHotEncoder(inputCol="x", outputCol="o").fit(nothing).categorySizes == [1]


@pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler])
def test_scalers_want_a_new_column(spark, scaler):
    data = vectors(spark, Vectors.dense(1.0), Vectors.dense(2.0))
    with pytest.raises(IllegalArgumentException, match="Output column features already exists"):
        scaler(inputCol="features", outputCol="features").fit(data)


def test_one_cluster_has_no_silhouette(spark):
    data = vectors(spark, Vectors.dense(1.0), Vectors.dense(2.0)).withColumn("prediction", F.lit(0))
    with pytest.raises(UnknownException, match="greater than one"):
        ClusteringEvaluator().evaluate(data)
