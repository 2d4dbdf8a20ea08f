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


# What Spark 4.2 says of the first 20 rows with a bent label.
EVALUATED = {
    (): {
        "r2": 0.9147305056213337,
        "r2adj": 0.8987424754253338,
        "meanSquaredError": 0.40381237366867867,
        "rootMeanSquaredError": 0.635462330644924,
        "meanAbsoluteError": 0.4268500832109082,
        "explainedVariance": 4.316432776143924,
        "degreesOfFreedom": 16,
        "devianceResiduals": [-0.05440503966387228, 1.5159108138082917],
    },
    (("fitIntercept", False),): {
        "r2": 0.8335789332054302,
        "r2adj": 0.8042105096534473,
        "meanSquaredError": 0.839558511389621,
        "rootMeanSquaredError": 0.9162742555532274,
        "meanAbsoluteError": 0.6840205527663115,
        "explainedVariance": 3.411749762109216,
        "degreesOfFreedom": 17,
        "devianceResiduals": [-0.6056754519092941, 2.521632223086236],
    },
    (("weightCol", "w"),): {
        "r2": 0.9085012594937513,
        "r2adj": 0.8913452456488297,
        "meanSquaredError": 0.5293768277208559,
        "rootMeanSquaredError": 0.7275828665663149,
        "meanAbsoluteError": 0.4999098859240142,
        "explainedVariance": 5.137294250114358,
        "degreesOfFreedom": 16,
        "devianceResiduals": [-0.05659819204924717, 2.380469093479898],
    },
}


@pytest.fixture
def others(data):
    return data.limit(20).selectExpr("label + 0.1 * label * label as label", "features", "w")


@pytest.mark.parametrize("params", EVALUATED, ids=str)
def test_evaluate(data, others, params):
    s = LinearRegression(**dict(params)).fit(data).evaluate(others)
    for name, value in EVALUATED[params].items():
        assert getattr(s, name) == pytest.approx(value, rel=1e-9), name
    assert (s.predictionCol, s.labelCol, s.featuresCol) == ("prediction", "label", "features")
    assert s.numInstances == 20
    assert not hasattr(s, "objectiveHistory")
    for name in ("coefficientStandardErrors", "tValues", "pValues"):
        with pytest.raises(Exception, match="available for this LinearRegressionModel"):
            getattr(s, name)


def test_evaluate_keeps_its_rows(data, others):
    """The summary outlives the Python object of the model."""
    s = LinearRegression().fit(data).evaluate(others)
    assert s.predictions.columns == ["label", "features", "w", "prediction"]
    rows = s.predictions.collect()
    assert len(rows) == 20
    expected = [row.label - row.prediction for row in rows]
    assert [row.residuals for row in s.residuals.collect()] == pytest.approx(expected)


def test_evaluate_few_rows(data, others):
    model = LinearRegression().fit(data)
    s = model.evaluate(others.limit(4))
    assert s.degreesOfFreedom == 0 and s.r2adj == -math.inf
    s = model.evaluate(others.limit(1))
    assert s.r2 == -math.inf and math.isnan(s.r2adj)
    nan = "case when w > 1 then label else double('nan') end as label"
    low, high = model.evaluate(others.selectExpr(nan, "features")).devianceResiduals
    assert low == pytest.approx(-0.05440503966387228) and math.isnan(high)
    assert model.evaluate(others.selectExpr("int(label) label", "features")).r2 == pytest.approx(
        0.8228002043232253
    )


def test_evaluate_refuses(data, others):
    model = LinearRegression().fit(data)
    with pytest.raises(TypeError, match="dataset must be a DataFrame"):
        model.evaluate([1])
    with pytest.raises(Exception, match="Nothing has been added to this summarizer"):
        model.evaluate(others.limit(0))
    with pytest.raises(Exception, match="Column prediction already exists"):
        model.evaluate(others.selectExpr("*", "1.0 as prediction"))
    for lacking in (
        others.drop("label"),
        others.selectExpr("case when w > 1 then label end as label", "features"),
    ):
        with pytest.raises(Exception, match="(?i)label|MatchError"):
            model.evaluate(lacking)


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
    assert loaded.evaluate(data).r2 == pytest.approx(model.summary.r2)
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
