# SPDX-License-Identifier: Apache-2.0
"""Evaluators: how well predictions fit, as one number."""

from __future__ import annotations

from nbaspark.ml.absent import absent
from nbaspark.ml.param import Param, Params, TypeConverters, keyword_only
from nbaspark.ml.param.shared import (
    HasFeaturesCol,
    HasLabelCol,
    HasPredictionCol,
    HasWeightCol,
)
from nbaspark.ml.util import JavaMLReadable, JavaMLWritable
from nbaspark.ml.wrapper import JavaParams, evaluate, with_setters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql import DataFrame

__all__ = ["ClusteringEvaluator", "Evaluator", "RegressionEvaluator"]


class Evaluator(Params):
    """Computes a metric from predictions."""

    def _evaluate(self, dataset: DataFrame) -> float:
        raise NotImplementedError

    def evaluate(self, dataset: DataFrame, params: dict[Param, Any] | None = None) -> float:
        """Return the metric of a DataFrame with predictions.

        Parameters
        ----------
        dataset : DataFrame
        params : dict, optional
            Values that override those of the evaluator.
        """
        if params is None or params == {}:
            return self._evaluate(dataset)
        if isinstance(params, dict):
            return self.copy(params)._evaluate(dataset)
        raise TypeError(f"Params must be a param map but got {type(params)}.")

    def isLargerBetter(self) -> bool:
        """Return whether a larger metric is a better one."""
        return True


class JavaEvaluator(JavaParams, Evaluator):
    """An evaluator of the engine."""

    def _evaluate(self, dataset: DataFrame) -> float:
        return evaluate(self, dataset)


@with_setters("metricName", "throughOrigin", "labelCol", "predictionCol", "weightCol")
class RegressionEvaluator(
    JavaEvaluator, HasLabelCol, HasPredictionCol, HasWeightCol, JavaMLReadable, JavaMLWritable
):
    """Errors of a regression: rmse, mse, r2, mae, var.

    Examples
    --------
    >>> from nbaspark.ml.evaluation import RegressionEvaluator
    >>> df = spark.createDataFrame([(1.0, 2.0), (3.0, 3.0)], ["prediction", "label"])
    >>> RegressionEvaluator(metricName="mae").evaluate(df)
    0.5
    """

    metricName: Param = Param(
        Params._dummy(),
        "metricName",
        """metric name in evaluation - one of:
                       rmse - root mean squared error (default)
                       mse - mean squared error
                       r2 - r^2 metric
                       mae - mean absolute error
                       var - explained variance.""",
        typeConverter=TypeConverters.toString,
    )
    throughOrigin: Param = Param(
        Params._dummy(),
        "throughOrigin",
        "whether the regression is through the origin.",
        typeConverter=TypeConverters.toBoolean,
    )

    @keyword_only
    def __init__(
        self,
        *,
        predictionCol: str = "prediction",
        labelCol: str = "label",
        metricName: str = "rmse",
        weightCol: str | None = None,
        throughOrigin: bool = False,
    ):
        kwargs = self._input_kwargs
        super().__init__()
        self._setDefault(metricName="rmse", throughOrigin=False)
        self._set(**kwargs)

    @keyword_only
    def setParams(
        self,
        *,
        predictionCol: str = "prediction",
        labelCol: str = "label",
        metricName: str = "rmse",
        weightCol: str | None = None,
        throughOrigin: bool = False,
    ) -> RegressionEvaluator:
        """Set parameters."""
        return self._set(**self._input_kwargs)

    def getMetricName(self) -> str:
        """Return the value of `metricName`."""
        return self.getOrDefault(self.metricName)

    def getThroughOrigin(self) -> bool:
        """Return the value of `throughOrigin`."""
        return self.getOrDefault(self.throughOrigin)

    def isLargerBetter(self) -> bool:
        return self.getMetricName() in ("r2", "var")


@with_setters("metricName", "distanceMeasure", "featuresCol", "predictionCol", "weightCol")
class ClusteringEvaluator(
    JavaEvaluator, HasPredictionCol, HasFeaturesCol, HasWeightCol, JavaMLReadable, JavaMLWritable
):
    """The silhouette of a clustering: from -1 to 1, and near 1 when clusters are far apart.

    Examples
    --------
    >>> from nbaspark.ml.evaluation import ClusteringEvaluator
    >>> from nbaspark.ml.linalg import Vectors
    >>> rows = [([0.0], 0), ([1.0], 0), ([9.0], 1), ([10.0], 1)]
    >>> rows = [(Vectors.dense(v), c) for v, c in rows]
    >>> df = spark.createDataFrame(rows, ["features", "prediction"])
    >>> round(ClusteringEvaluator().evaluate(df), 4)
    0.9876
    """

    metricName: Param = Param(
        Params._dummy(),
        "metricName",
        "metric name in evaluation (silhouette)",
        typeConverter=TypeConverters.toString,
    )
    distanceMeasure: Param = Param(
        Params._dummy(),
        "distanceMeasure",
        "The distance measure. Supported options: 'squaredEuclidean' and 'cosine'.",
        typeConverter=TypeConverters.toString,
    )

    @keyword_only
    def __init__(
        self,
        *,
        predictionCol: str = "prediction",
        featuresCol: str = "features",
        metricName: str = "silhouette",
        distanceMeasure: str = "squaredEuclidean",
        weightCol: str | None = None,
    ):
        kwargs = self._input_kwargs
        super().__init__()
        self._setDefault(metricName="silhouette", distanceMeasure="squaredEuclidean")
        self._set(**kwargs)

    @keyword_only
    def setParams(
        self,
        *,
        predictionCol: str = "prediction",
        featuresCol: str = "features",
        metricName: str = "silhouette",
        distanceMeasure: str = "squaredEuclidean",
        weightCol: str | None = None,
    ) -> ClusteringEvaluator:
        """Set parameters."""
        return self._set(**self._input_kwargs)

    def getMetricName(self) -> str:
        """Return the value of `metricName`."""
        return self.getOrDefault(self.metricName)

    def getDistanceMeasure(self) -> str:
        """Return the value of `distanceMeasure`."""
        return self.getOrDefault(self.distanceMeasure)


__getattr__ = absent(
    __name__,
    """BinaryClassificationEvaluator MulticlassClassificationEvaluator
    MultilabelClassificationEvaluator RankingEvaluator""",
)
