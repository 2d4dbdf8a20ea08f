# SPDX-License-Identifier: Apache-2.0
"""K-means, pipelines, silhouettes, and what is saved of them."""

import pytest

from nbaspark.errors import (
    AnalysisException,
    IllegalArgumentException,
    SparkRuntimeException,
)
from nbaspark.ml import Pipeline, PipelineModel
from nbaspark.ml.clustering import KMeans, KMeansModel
from nbaspark.ml.evaluation import ClusteringEvaluator
from nbaspark.ml.feature import StandardScalerModel, VectorAssembler
from nbaspark.ml.linalg import Vectors


@pytest.fixture
def blobs(spark):
    rows = [(10.0 * c + x, 5.0 * c + y) for c in range(3) for x in (0.0, 1.0) for y in (0.0, 1.0)]
    df = spark.createDataFrame(rows, ["x", "y"])
    return VectorAssembler(inputCols=["x", "y"], outputCol="features").transform(df)


def centers(model):
    return sorted(center.tolist() for center in model.clusterCenters())


def test_model_and_summary(blobs):
    model = KMeans(k=3, seed=1).fit(blobs)
    assert centers(model) == [[0.5, 0.5], [10.5, 5.5], [20.5, 10.5]]
    assert model.hasSummary and model.summary.k == 3 and model.summary.numIter >= 1
    assert model.summary.trainingCost == pytest.approx(6.0)
    assert list(model.summary.clusterSizes) == [4, 4, 4]
    assert model.summary.predictions.columns == ["x", "y", "features", "prediction"]
    assert model.summary.cluster.columns == ["prediction"]
    assert model.numFeatures == 2
    assert repr(model).endswith("k=3, distanceMeasure=euclidean, numFeatures=2")
    made = model.transform(blobs)
    assert not made.schema["prediction"].nullable
    for row in made.collect():
        assert row.prediction == model.predict(row.features)


def test_more_clusters_than_rows(spark):
    df = spark.createDataFrame([(Vectors.dense(v),) for v in ([1.0], [2.0])], ["features"])
    assert centers(KMeans(k=5, seed=1).fit(df)) == [[1.0], [2.0]]


def test_weights(spark):
    rows = [(Vectors.dense([x]), w) for x, w in ((0.0, 1.0), (1.0, 3.0), (10.0, 1.0))]
    df = spark.createDataFrame(rows, ["features", "w"])
    assert centers(KMeans(k=2, seed=1, weightCol="w").fit(df)) == [[0.75], [10.0]]


def test_cosine(spark):
    rows = [[1.0, 0.1], [10.0, 0.2], [0.1, 1.0], [0.3, 10.0]]
    df = spark.createDataFrame([(Vectors.dense(v),) for v in rows], ["features"])
    model = KMeans(k=2, seed=1, distanceMeasure="cosine").fit(df)
    a, b, c, d = (row.prediction for row in model.transform(df).collect())
    assert a == b != c == d


def test_bad_input(spark, blobs):
    with pytest.raises(IllegalArgumentException, match="FIELD_NOT_FOUND"):
        KMeans(featuresCol="zz").fit(blobs)
    with pytest.raises(IllegalArgumentException, match="must be of type equal to one of"):
        KMeans(featuresCol="x").fit(blobs)
    with pytest.raises(IllegalArgumentException, match="Column x already exists"):
        KMeans(predictionCol="x").fit(blobs)
    rows = [(Vectors.dense([1.0, float("nan")]),), (Vectors.dense([1.0, 2.0]),)]
    df = spark.createDataFrame(rows, ["features"])
    with pytest.raises(
        SparkRuntimeException, match=r"MUST NOT be NaN or Infinity, but got \[1.0,NaN"
    ):
        KMeans().fit(df)
    df = spark.createDataFrame([(None,), rows[1]], df.schema)
    with pytest.raises(SparkRuntimeException, match="Vectors MUST NOT be Null"):
        KMeans().fit(df)
    model = KMeans(k=2, seed=1).fit(blobs)
    with pytest.raises(IllegalArgumentException, match="should have same length"):
        model.predict(Vectors.dense([1.0]))


def test_pipeline(spark, blobs, tmp_path):
    tmp_path.chmod(0o777)
    df = blobs.drop("features")
    assembler = VectorAssembler(inputCols=["x", "y"], outputCol="features")
    pipeline = Pipeline(stages=[assembler, KMeans(k=3, seed=1)])
    model = pipeline.fit(df)
    assert model.transform(df).groupBy("prediction").count().count() == 3
    pipeline.save(f"{tmp_path}/pipeline")
    model.write().overwrite().save(f"{tmp_path}/model")
    assert Pipeline.load(f"{tmp_path}/pipeline").getStages()[1].getK() == 3
    loaded = PipelineModel.load(f"{tmp_path}/model")
    assert [s.uid for s in loaded.stages] == [s.uid for s in model.stages]
    assert loaded.transform(df).collect() == model.transform(df).collect()


def test_saved_model(blobs, tmp_path):
    tmp_path.chmod(0o777)
    model = KMeans(k=3, seed=1).fit(blobs)
    path = f"{tmp_path}/kmeans"
    model.save(path)
    with pytest.raises(Exception, match="already exists"):
        model.save(path)
    model.write().overwrite().save(path)
    loaded = KMeansModel.load(path)
    assert loaded.uid == model.uid and loaded.getK() == 3 and not loaded.hasSummary
    assert centers(loaded) == centers(model)
    with pytest.raises(RuntimeError, match="No training summary"):
        _ = loaded.summary
    with pytest.raises(IllegalArgumentException, match="Expected class name"):
        StandardScalerModel.load(path)
    with pytest.raises(AnalysisException, match="PATH_NOT_FOUND"):
        KMeansModel.load(path + "2")


def test_silhouette(spark):
    rows = [([0.0], 0), ([1.0], 0), ([9.0], 1), ([10.0], 1), ([20.0], 2)]
    df = spark.createDataFrame([(Vectors.dense(v), c) for v, c in rows], ["features", "prediction"])
    assert ClusteringEvaluator().evaluate(df) == pytest.approx(0.7900628691)
    with pytest.raises(Exception, match="Number of clusters must be greater than one"):
        ClusteringEvaluator().evaluate(df.filter("prediction = 0"))


@pytest.mark.embedded
def test_best_clustering_whatever_the_partitions(spark, blobs):
    rows = [(25, 40000, 60), (35, 80000, 30), (61, 12000, 9), (44, 52000, 77), (31, 39000, 55)]
    df = spark.createDataFrame([tuple(map(float, r)) for r in rows * 3], ["a", "b", "c"])
    assembler = VectorAssembler(inputCols=["a", "b", "c"], outputCol="features")
    costs = {
        KMeans(k=3, seed=seed).fit(assembler.transform(df.repartition(n))).summary.trainingCost
        for seed in range(3)
        for n in (1, 3)
    }
    assert max(costs) == pytest.approx(min(costs), rel=1e-12)
