# SPDX-License-Identifier: Apache-2.0
"""Parameters: defaults, conversions, copies, and the errors of bad ones."""

import pytest

from nbaspark.ml.clustering import KMeans
from nbaspark.ml.feature import StandardScaler, VectorAssembler
from nbaspark.ml.linalg import Vectors


def test_defaults_and_setters():
    k = KMeans(k=3)
    assert (k.getK(), k.getMaxIter(), k.getTol(), k.getInitMode()) == (3, 20, 1e-4, "k-means||")
    assert k.isSet("k") and not k.isSet(k.maxIter) and k.hasDefault("maxIter")
    assert k.setMaxIter(7) is k and k.getMaxIter() == 7
    assert not k.isDefined("weightCol")
    assert k.hasParam("seed") and not k.hasParam("nothing")


@pytest.mark.embedded  # in PySpark over Connect, clear() does nothing
def test_clear():
    k = KMeans(maxIter=7)
    k.clear(k.maxIter)
    assert k.getMaxIter() == 20


def test_explain():
    scaler = StandardScaler(inputCol="a")
    lines = scaler.explainParams().splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "inputCol",
        "outputCol",
        "withMean",
        "withStd",
    ]
    assert lines[0] == "inputCol: input column name. (current: a)"
    assert scaler.explainParam("withStd") == (
        "withStd: Scale to unit standard deviation (default: True)"
    )


def test_copies():
    k = KMeans(k=3)
    other = k.copy({k.k: 5, k.seed: 1})
    assert other.uid == k.uid and other.getK() == 5 and k.getK() == 3
    assert {p.name: v for p, v in other.extractParamMap().items()}["seed"] == 1
    assert k.extractParamMap({k.k: 9})[k.k] == 9


@pytest.mark.parametrize("value", ["3", 2.5, None.__class__])
def test_wrong_types(value):
    with pytest.raises(TypeError, match='Invalid param value given for param "k"'):
        KMeans(k=value)


def test_positional_arguments():
    with pytest.raises(TypeError):
        KMeans("features")


@pytest.mark.parametrize(
    "params", [{"k": 1}, {"maxIter": -1}, {"initMode": "best"}, {"tol": -0.5}, {"initSteps": 0}]
)
def test_values_out_of_range(spark, params):
    from nbaspark.errors import IllegalArgumentException

    df = spark.createDataFrame([(Vectors.dense(1.0),), (Vectors.dense(2.0),)], ["features"])
    ((name, value),) = params.items()
    with pytest.raises(IllegalArgumentException, match=f"parameter {name} given invalid value"):
        KMeans(**params).fit(df)


def test_invalid_option_of_assembler(spark):
    from nbaspark.errors import IllegalArgumentException

    df = spark.createDataFrame([(1.0,)], ["a"])
    assembler = VectorAssembler(inputCols=["a"], outputCol="v", handleInvalid="maybe")
    with pytest.raises(IllegalArgumentException, match="handleInvalid given invalid value maybe"):
        assembler.transform(df).collect()
