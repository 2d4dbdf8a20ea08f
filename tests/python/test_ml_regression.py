# SPDX-License-Identifier: Apache-2.0
"""Linear regression and its metrics. Numbers are those of Apache Spark 4.2 on the same rows."""

import math

import pytest

from nbaspark.ml.evaluation import RegressionEvaluator
from nbaspark.ml.linalg import Vectors
from nbaspark.ml.regression import LinearRegression, LinearRegressionModel


@pytest.fixture
def data(spark):
    rows = []
    for i in range(40):
        x = (math.sin(i), 5 + 3 * math.cos(1.7 * i), float(i % 7))
        label = 2.0 + 3 * x[0] - 0.5 * x[1] + 0.25 * x[2] + 0.3 * math.sin(5.3 * i)
        rows.append((label, Vectors.dense(x), 0.5 + (i % 3)))
    return spark.createDataFrame(rows, ["label", "features", "w"])


def coefficients(model):
    return [*model.coefficients.toArray().tolist(), model.intercept]


@pytest.mark.parametrize("params", [{}, {"fitIntercept": False}, {"weightCol": "w"}])
def test_residuals_are_orthogonal(data, params):
    """The normal equations hold: weighted residuals are orthogonal to features."""
    model = LinearRegression(**params).fit(data)
    weighted = "weightCol" in params
    sums = [0.0] * 4
    for row in model.transform(data).collect():
        error = (row.label - row.prediction) * (row.w if weighted else 1)
        for j, x in enumerate([*row.features.toArray(), 1.0]):
            sums[j] += error * x
    assert sums[:3] == pytest.approx([0.0] * 3, abs=1e-9)
    if "fitIntercept" not in params:
        assert sums[3] == pytest.approx(0.0, abs=1e-9)


def test_summary(data):
    model = LinearRegression().fit(data)
    s = model.summary
    errors = [row.residuals for row in s.residuals.collect()]
    sse = sum(e * e for e in errors)
    assert s.meanSquaredError == pytest.approx(sse / 40)
    assert s.rootMeanSquaredError == pytest.approx(math.sqrt(sse / 40))
    assert s.meanAbsoluteError == pytest.approx(sum(map(abs, errors)) / 40)
    assert s.degreesOfFreedom == 36 and s.numInstances == 40
    assert list(s.devianceResiduals) == pytest.approx([min(errors), max(errors)])
    assert s.r2adj == pytest.approx(1 - (1 - s.r2) * 39 / 36)
    expected = [c / e for c, e in zip(coefficients(model), s.coefficientStandardErrors)]
    assert list(s.tValues) == pytest.approx(expected)
    assert all(0 <= p <= 1 for p in s.pValues)
    assert list(s.objectiveHistory) == [0.0] and s.totalIterations == 0


def test_elastic_net_drops_features(data):
    model = LinearRegression(regParam=1.0, elasticNetParam=1.0).fit(data)
    assert model.coefficients[2] == 0.0
    assert abs(model.coefficients[0]) > 0.5
    with pytest.raises(Exception, match="No t-statistic available"):
        _ = model.summary.tValues


def test_constant_labels_and_features(spark):
    rows = [(3.0, Vectors.dense([float(i), 1.0])) for i in range(5)]
    model = LinearRegression().fit(spark.createDataFrame(rows, ["label", "features"]))
    assert coefficients(model) == [0.0, 0.0, 3.0]
    rows = [(2.0 * i + 1, Vectors.dense([float(i), 7.0])) for i in range(5)]
    model = LinearRegression().fit(spark.createDataFrame(rows, ["label", "features"]))
    assert coefficients(model) == pytest.approx([2.0, 0.0, 1.0])


def test_saved(data, tmp_path):
    tmp_path.chmod(0o777)
    model = LinearRegression(regParam=0.1).fit(data)
    model.save(f"{tmp_path}/m")
    loaded = LinearRegressionModel.load(f"{tmp_path}/m")
    assert coefficients(loaded) == coefficients(model)
    assert loaded.predict(Vectors.dense([1.0, 2.0, 3.0])) == pytest.approx(
        model.predict(Vectors.dense([1.0, 2.0, 3.0]))
    )


def test_evaluator(spark):
    rows = [(1.0, 2.0, 1.0), (3.0, 3.0, 2.0), (5.0, 4.0, 0.5)]
    df = spark.createDataFrame(rows, ["prediction", "label", "w"])

    def metric(name, **params):
        return RegressionEvaluator(metricName=name, **params).evaluate(df)

    assert metric("mse") == pytest.approx(2 / 3)
    assert metric("rmse") == pytest.approx(math.sqrt(2 / 3))
    assert metric("mae") == pytest.approx(2 / 3)
    assert metric("r2") == pytest.approx(0.0)
    assert metric("var") == pytest.approx(8 / 3)
    assert metric("mae", weightCol="w") == pytest.approx(1.5 / 3.5)
    assert RegressionEvaluator(metricName="r2").isLargerBetter()
    assert not RegressionEvaluator().isLargerBetter()
