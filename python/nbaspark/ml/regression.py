# SPDX-License-Identifier: Apache-2.0
"""Regression."""

from __future__ import annotations

from nbaspark.ml.absent import absent
from nbaspark.ml.base import PredictionModel, Predictor, _PredictorParams
from nbaspark.ml.param import Param, Params, TypeConverters, keyword_only
from nbaspark.ml.param.shared import (
    HasAggregationDepth,
    HasElasticNetParam,
    HasFitIntercept,
    HasLoss,
    HasMaxBlockSizeInMB,
    HasMaxIter,
    HasRegParam,
    HasSolver,
    HasStandardization,
    HasTol,
    HasWeightCol,
)
from nbaspark.ml.util import HasTrainingSummary, JavaMLReadable, JavaMLWritable
from nbaspark.ml.wrapper import (
    JavaPredictionModel,
    JavaPredictor,
    JavaSummary,
    with_setters,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.ml.linalg import Vector
    from nbaspark.sql import DataFrame

__all__ = [
    "LinearRegression",
    "LinearRegressionModel",
    "LinearRegressionSummary",
    "LinearRegressionTrainingSummary",
]


class Regressor(Predictor):
    """An estimator that predicts numbers."""


class RegressionModel(PredictionModel):
    """A model that predicts numbers."""


class LinearRegressionSummary(JavaSummary):
    """How well a linear model fits rows."""

    @property
    def predictions(self) -> DataFrame:
        """The rows with their prediction."""
        return self._relation("predictions")

    @property
    def residuals(self) -> DataFrame:
        """Label less prediction of each row."""
        return self._relation("residuals")

    @property
    def predictionCol(self) -> str:
        """Name of the column of predictions."""
        return self._call_java("predictionCol")

    @property
    def labelCol(self) -> str:
        """Name of the column of labels."""
        return self._call_java("labelCol")

    @property
    def featuresCol(self) -> str:
        """Name of the column of features."""
        return self._call_java("featuresCol")

    @property
    def explainedVariance(self) -> float:
        """Variance of the predictions about the mean of the labels."""
        return self._call_java("explainedVariance")

    @property
    def meanAbsoluteError(self) -> float:
        """Mean of the absolute errors."""
        return self._call_java("meanAbsoluteError")

    @property
    def meanSquaredError(self) -> float:
        """Mean of the squared errors."""
        return self._call_java("meanSquaredError")

    @property
    def rootMeanSquaredError(self) -> float:
        """Square root of the mean of the squared errors."""
        return self._call_java("rootMeanSquaredError")

    @property
    def r2(self) -> float:
        """Coefficient of determination."""
        return self._call_java("r2")

    @property
    def r2adj(self) -> float:
        """Coefficient of determination, adjusted for the number of features."""
        return self._call_java("r2adj")

    @property
    def numInstances(self) -> int:
        """Number of rows."""
        return self._call_java("numInstances")

    @property
    def degreesOfFreedom(self) -> int:
        """Rows less coefficients."""
        return self._call_java("degreesOfFreedom")

    @property
    def devianceResiduals(self) -> list[float]:
        """The smallest and the largest weighted residual."""
        return self._call_java("devianceResiduals")

    @property
    def coefficientStandardErrors(self) -> list[float]:
        """Standard errors of the coefficients, the intercept's last."""
        return self._call_java("coefficientStandardErrors")

    @property
    def tValues(self) -> list[float]:
        """T statistics of the coefficients, the intercept's last."""
        return self._call_java("tValues")

    @property
    def pValues(self) -> list[float]:
        """Two-sided p values of the coefficients, the intercept's last."""
        return self._call_java("pValues")


class LinearRegressionTrainingSummary(LinearRegressionSummary):
    """How well a linear model fits the rows it was trained on."""

    @property
    def objectiveHistory(self) -> list[float]:
        """The objective after each iteration."""
        return self._call_java("objectiveHistory")

    @property
    def totalIterations(self) -> int:
        """Number of iterations; 0 where the normal equations were solved."""
        return self._call_java("totalIterations")


class _LinearRegressionParams(
    _PredictorParams,
    HasRegParam,
    HasElasticNetParam,
    HasMaxIter,
    HasTol,
    HasFitIntercept,
    HasStandardization,
    HasWeightCol,
    HasSolver,
    HasAggregationDepth,
    HasLoss,
    HasMaxBlockSizeInMB,
):
    """Parameters of `LinearRegression` and its model."""

    solver: Param = Param(
        Params._dummy(),
        "solver",
        "The solver algorithm for optimization. Supported options: auto, normal, l-bfgs.",
        typeConverter=TypeConverters.toString,
    )
    loss: Param = Param(
        Params._dummy(),
        "loss",
        "The loss function to be optimized. Supported options: squaredError, huber.",
        typeConverter=TypeConverters.toString,
    )
    epsilon: Param = Param(
        Params._dummy(),
        "epsilon",
        "The shape parameter to control the amount of robustness. Must be > 1.0. Only valid when "
        "loss is huber",
        typeConverter=TypeConverters.toFloat,
    )

    def __init__(self, *args: Any):
        super().__init__(*args)
        self._setDefault(
            maxIter=100,
            regParam=0.0,
            tol=1e-6,
            loss="squaredError",
            epsilon=1.35,
            maxBlockSizeInMB=0.0,
        )

    def getEpsilon(self) -> float:
        """Return the value of `epsilon`."""
        return self.getOrDefault(self.epsilon)


class LinearRegressionModel(
    JavaPredictionModel,
    _LinearRegressionParams,
    JavaMLWritable,
    JavaMLReadable,
    HasTrainingSummary,
):
    """The plane that `LinearRegression` has found."""

    _summaryCls = LinearRegressionTrainingSummary

    @property
    def coefficients(self) -> Vector:
        """Coefficient of each feature."""
        return self._call_java("coefficients")

    @property
    def intercept(self) -> float:
        """Prediction where all features are 0."""
        return self._call_java("intercept")

    @property
    def scale(self) -> float:
        """1.0: the scale belongs to the huber loss."""
        return self._call_java("scale")

    def evaluate(self, dataset: DataFrame) -> LinearRegressionSummary:
        """Summarise the predictions for other rows."""
        from nbaspark.sql import DataFrame

        if not isinstance(dataset, DataFrame):
            raise TypeError(f"dataset must be a DataFrame but got {type(dataset)}.")
        return LinearRegressionSummary(self, summary=self._call_java("evaluate", dataset))


@with_setters(
    "maxIter",
    "regParam",
    "tol",
    "elasticNetParam",
    "fitIntercept",
    "standardization",
    "weightCol",
    "solver",
    "aggregationDepth",
    "loss",
    "epsilon",
    "maxBlockSizeInMB",
)
class LinearRegression(JavaPredictor, _LinearRegressionParams, JavaMLWritable, JavaMLReadable):
    """Linear regression with L1 and L2 regularisation.

    Notes
    -----
    The loss is the squared error. Without L1 the normal equations are solved; with it, coordinates
    are descended until nothing moves, so that `maxIter` and `tol` make no difference.

    Examples
    --------
    >>> from nbaspark.ml.linalg import Vectors
    >>> from nbaspark.ml.regression import LinearRegression
    >>> rows = [(1.0, Vectors.dense([0.0])), (3.0, Vectors.dense([1.0])), (5.0, Vectors.dense([2.0]))]
    >>> model = LinearRegression().fit(spark.createDataFrame(rows, ["label", "features"]))
    >>> round(model.intercept, 6), round(model.coefficients[0], 6)
    (1.0, 2.0)
    >>> round(model.summary.r2, 6)
    1.0
    """

    @keyword_only
    def __init__(
        self,
        *,
        featuresCol: str = "features",
        labelCol: str = "label",
        predictionCol: str = "prediction",
        maxIter: int = 100,
        regParam: float = 0.0,
        elasticNetParam: float = 0.0,
        tol: float = 1e-6,
        fitIntercept: bool = True,
        standardization: bool = True,
        solver: str = "auto",
        weightCol: str | None = None,
        aggregationDepth: int = 2,
        loss: str = "squaredError",
        epsilon: float = 1.35,
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
        labelCol: str = "label",
        predictionCol: str = "prediction",
        maxIter: int = 100,
        regParam: float = 0.0,
        elasticNetParam: float = 0.0,
        tol: float = 1e-6,
        fitIntercept: bool = True,
        standardization: bool = True,
        solver: str = "auto",
        weightCol: str | None = None,
        aggregationDepth: int = 2,
        loss: str = "squaredError",
        epsilon: float = 1.35,
        maxBlockSizeInMB: float = 0.0,
    ) -> LinearRegression:
        """Set parameters."""
        return self._set(**self._input_kwargs)

    def _create_model(self, java_model: Any) -> LinearRegressionModel:
        return LinearRegressionModel(java_model)


__getattr__ = absent(
    __name__,
    """AFTSurvivalRegression AFTSurvivalRegressionModel DecisionTreeRegressor
    DecisionTreeRegressionModel GBTRegressor GBTRegressionModel GeneralizedLinearRegression
    GeneralizedLinearRegressionModel GeneralizedLinearRegressionSummary
    GeneralizedLinearRegressionTrainingSummary IsotonicRegression IsotonicRegressionModel
    RandomForestRegressor RandomForestRegressionModel FMRegressor FMRegressionModel""",
)
