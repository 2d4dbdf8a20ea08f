# SPDX-License-Identifier: Apache-2.0
"""Clustering."""

from __future__ import annotations

from nbaspark.ml.absent import absent
from nbaspark.ml.param import Param, Params, TypeConverters, keyword_only
from nbaspark.ml.param.shared import (
    HasDistanceMeasure,
    HasFeaturesCol,
    HasMaxBlockSizeInMB,
    HasMaxIter,
    HasPredictionCol,
    HasSeed,
    HasSolver,
    HasTol,
    HasWeightCol,
)
from nbaspark.ml.util import HasTrainingSummary, JavaMLReadable, JavaMLWritable
from nbaspark.ml.wrapper import JavaEstimator, JavaModel, JavaSummary, with_setters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from nbaspark.sql import DataFrame

__all__ = ["ClusteringSummary", "KMeans", "KMeansModel", "KMeansSummary"]


class ClusteringSummary(JavaSummary):
    """What is known of a clustering after training."""

    @property
    def predictionCol(self) -> str:
        """Name of the column of clusters."""
        return self._call_java("predictionCol")

    @property
    def featuresCol(self) -> str:
        """Name of the column of features."""
        return self._call_java("featuresCol")

    @property
    def predictions(self) -> DataFrame:
        """The training rows with their cluster."""
        return self._relation("predictions")

    @property
    def cluster(self) -> DataFrame:
        """The cluster of each training row."""
        return self._relation("cluster")

    @property
    def k(self) -> int:
        """Number of clusters."""
        return self._call_java("k")

    @property
    def clusterSizes(self) -> list[int]:
        """Number of rows of each cluster."""
        return self._call_java("clusterSizes")

    @property
    def numIter(self) -> int:
        """Number of iterations."""
        return self._call_java("numIter")


class KMeansSummary(ClusteringSummary):
    """What is known of k-means after training."""

    @property
    def trainingCost(self) -> float:
        """Sum of the squared distances of all rows to their centres."""
        return self._call_java("trainingCost")


class _KMeansParams(
    HasMaxIter,
    HasFeaturesCol,
    HasSeed,
    HasPredictionCol,
    HasTol,
    HasDistanceMeasure,
    HasWeightCol,
    HasSolver,
    HasMaxBlockSizeInMB,
):
    """Parameters of k-means and its model."""

    k: Param = Param(
        Params._dummy(),
        "k",
        "The number of clusters to create. Must be > 1.",
        typeConverter=TypeConverters.toInt,
    )
    initMode: Param = Param(
        Params._dummy(),
        "initMode",
        'The initialization algorithm. This can be either "random" to choose random points as '
        'initial cluster centers, or "k-means||" to use a parallel variant of k-means++',
        typeConverter=TypeConverters.toString,
    )
    initSteps: Param = Param(
        Params._dummy(),
        "initSteps",
        "The number of steps for k-means|| initialization mode. Must be > 0.",
        typeConverter=TypeConverters.toInt,
    )
    solver: Param = Param(
        Params._dummy(),
        "solver",
        "The solver algorithm for optimization. Supported options: auto, row, block.",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self, *args: Any):
        super().__init__(*args)
        self._setDefault(
            k=2,
            initMode="k-means||",
            initSteps=2,
            tol=1e-4,
            maxIter=20,
            distanceMeasure="euclidean",
            solver="auto",
            maxBlockSizeInMB=0.0,
        )

    def getK(self) -> int:
        """Return the value of `k`."""
        return self.getOrDefault(self.k)

    def getInitMode(self) -> str:
        """Return the value of `initMode`."""
        return self.getOrDefault(self.initMode)

    def getInitSteps(self) -> int:
        """Return the value of `initSteps`."""
        return self.getOrDefault(self.initSteps)


@with_setters("featuresCol", "predictionCol")
class KMeansModel(JavaModel, _KMeansParams, JavaMLWritable, JavaMLReadable, HasTrainingSummary):
    """The clusters that `KMeans` has found."""

    _summaryCls = KMeansSummary

    def clusterCenters(self) -> list[np.ndarray]:
        """Return the centres, each as a NumPy array."""
        return list(self._call_java("clusterCenterMatrix").toArray())

    @property
    def numFeatures(self) -> int:
        """Number of features that the model was trained on."""
        return self._call_java("numFeatures")

    def predict(self, value: Any) -> int:
        """Return the cluster of one vector."""
        return self._call_java("predict", value)


@with_setters(
    "k",
    "initMode",
    "initSteps",
    "distanceMeasure",
    "maxIter",
    "featuresCol",
    "predictionCol",
    "seed",
    "tol",
    "weightCol",
    "solver",
    "maxBlockSizeInMB",
)
class KMeans(JavaEstimator, _KMeansParams, JavaMLWritable, JavaMLReadable):
    """K-means clustering.

    Notes
    -----
    Unlike Apache Spark's, the result depends neither on partitions nor on threads, and small data
    is clustered many times over, so that the cost is never above Spark's. `initMode` and
    `initSteps` say how large data is started; `solver` and `maxBlockSizeInMB` make no difference.

    Examples
    --------
    >>> from nbaspark.ml.clustering import KMeans
    >>> from nbaspark.ml.linalg import Vectors
    >>> rows = [(Vectors.dense(v),) for v in ([0.0, 0.0], [1.0, 1.0], [9.0, 8.0], [8.0, 9.0])]
    >>> df = spark.createDataFrame(rows, ["features"])
    >>> model = KMeans(k=2, seed=1).fit(df)
    >>> sorted(center.tolist() for center in model.clusterCenters())
    [[0.5, 0.5], [8.5, 8.5]]
    >>> model.summary.trainingCost
    2.0
    >>> model.predict(rows[0][0]) == model.predict(rows[1][0])
    True
    """

    @keyword_only
    def __init__(
        self,
        *,
        featuresCol: str = "features",
        predictionCol: str = "prediction",
        k: int = 2,
        initMode: str = "k-means||",
        initSteps: int = 2,
        tol: float = 1e-4,
        maxIter: int = 20,
        seed: int | None = None,
        distanceMeasure: str = "euclidean",
        weightCol: str | None = None,
        solver: str = "auto",
        maxBlockSizeInMB: float = 0.0,
    ):
        kwargs = self._input_kwargs
        super().__init__()
        self._set(**kwargs)

    @keyword_only
    def setParams(
        self,
        *,
        featuresCol: str = "features",
        predictionCol: str = "prediction",
        k: int = 2,
        initMode: str = "k-means||",
        initSteps: int = 2,
        tol: float = 1e-4,
        maxIter: int = 20,
        seed: int | None = None,
        distanceMeasure: str = "euclidean",
        weightCol: str | None = None,
        solver: str = "auto",
        maxBlockSizeInMB: float = 0.0,
    ) -> KMeans:
        """Set parameters."""
        return self._set(**self._input_kwargs)

    def _create_model(self, java_model: Any) -> KMeansModel:
        return KMeansModel(java_model)


__getattr__ = absent(
    __name__,
    """BisectingKMeans BisectingKMeansModel BisectingKMeansSummary GaussianMixture
    GaussianMixtureModel GaussianMixtureSummary LDA LDAModel LocalLDAModel DistributedLDAModel
    PowerIterationClustering""",
)
