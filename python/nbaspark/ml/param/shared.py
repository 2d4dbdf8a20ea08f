# SPDX-License-Identifier: Apache-2.0
"""Parameters that several classes share, one mixin each."""

from __future__ import annotations

from nbaspark.ml.param import Param, Params, TypeConverters


class HasMaxIter(Params):
    """Has the parameter `maxIter`."""

    maxIter: Param = Param(
        Params._dummy(),
        "maxIter",
        "max number of iterations (>= 0).",
        typeConverter=TypeConverters.toInt,
    )

    def getMaxIter(self) -> int:
        """Return the value of `maxIter` or its default."""
        return self.getOrDefault(self.maxIter)


class HasRegParam(Params):
    """Has the parameter `regParam`."""

    regParam: Param = Param(
        Params._dummy(),
        "regParam",
        "regularization parameter (>= 0).",
        typeConverter=TypeConverters.toFloat,
    )

    def getRegParam(self) -> float:
        """Return the value of `regParam` or its default."""
        return self.getOrDefault(self.regParam)


class HasFeaturesCol(Params):
    """Has the parameter `featuresCol`."""

    featuresCol: Param = Param(
        Params._dummy(),
        "featuresCol",
        "features column name.",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(featuresCol="features")

    def getFeaturesCol(self) -> str:
        """Return the value of `featuresCol` or its default."""
        return self.getOrDefault(self.featuresCol)


class HasLabelCol(Params):
    """Has the parameter `labelCol`."""

    labelCol: Param = Param(
        Params._dummy(),
        "labelCol",
        "label column name.",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(labelCol="label")

    def getLabelCol(self) -> str:
        """Return the value of `labelCol` or its default."""
        return self.getOrDefault(self.labelCol)


class HasPredictionCol(Params):
    """Has the parameter `predictionCol`."""

    predictionCol: Param = Param(
        Params._dummy(),
        "predictionCol",
        "prediction column name.",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(predictionCol="prediction")

    def getPredictionCol(self) -> str:
        """Return the value of `predictionCol` or its default."""
        return self.getOrDefault(self.predictionCol)


class HasInputCol(Params):
    """Has the parameter `inputCol`."""

    inputCol: Param = Param(
        Params._dummy(),
        "inputCol",
        "input column name.",
        typeConverter=TypeConverters.toString,
    )

    def getInputCol(self) -> str:
        """Return the value of `inputCol` or its default."""
        return self.getOrDefault(self.inputCol)


class HasInputCols(Params):
    """Has the parameter `inputCols`."""

    inputCols: Param = Param(
        Params._dummy(),
        "inputCols",
        "input column names.",
        typeConverter=TypeConverters.toListString,
    )

    def getInputCols(self) -> list[str]:
        """Return the value of `inputCols` or its default."""
        return self.getOrDefault(self.inputCols)


class HasOutputCol(Params):
    """Has the parameter `outputCol`."""

    outputCol: Param = Param(
        Params._dummy(),
        "outputCol",
        "output column name.",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(outputCol=self.uid + "__output")

    def getOutputCol(self) -> str:
        """Return the value of `outputCol` or its default."""
        return self.getOrDefault(self.outputCol)


class HasOutputCols(Params):
    """Has the parameter `outputCols`."""

    outputCols: Param = Param(
        Params._dummy(),
        "outputCols",
        "output column names.",
        typeConverter=TypeConverters.toListString,
    )

    def getOutputCols(self) -> list[str]:
        """Return the value of `outputCols` or its default."""
        return self.getOrDefault(self.outputCols)


class HasSeed(Params):
    """Has the parameter `seed`."""

    seed: Param = Param(
        Params._dummy(),
        "seed",
        "random seed.",
        typeConverter=TypeConverters.toInt,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(seed=hash(type(self).__name__))

    def getSeed(self) -> int:
        """Return the value of `seed` or its default."""
        return self.getOrDefault(self.seed)


class HasTol(Params):
    """Has the parameter `tol`."""

    tol: Param = Param(
        Params._dummy(),
        "tol",
        "the convergence tolerance for iterative algorithms (>= 0).",
        typeConverter=TypeConverters.toFloat,
    )

    def getTol(self) -> float:
        """Return the value of `tol` or its default."""
        return self.getOrDefault(self.tol)


class HasHandleInvalid(Params):
    """Has the parameter `handleInvalid`."""

    handleInvalid: Param = Param(
        Params._dummy(),
        "handleInvalid",
        "how to handle invalid entries. Options are skip (which will filter out rows with"
        " bad values), or error (which will throw an error). More options may be added "
        "later.",
        typeConverter=TypeConverters.toString,
    )

    def getHandleInvalid(self) -> str:
        """Return the value of `handleInvalid` or its default."""
        return self.getOrDefault(self.handleInvalid)


class HasElasticNetParam(Params):
    """Has the parameter `elasticNetParam`."""

    elasticNetParam: Param = Param(
        Params._dummy(),
        "elasticNetParam",
        "the ElasticNet mixing parameter, in range [0, 1]. For alpha = 0, the penalty is "
        "an L2 penalty. For alpha = 1, it is an L1 penalty.",
        typeConverter=TypeConverters.toFloat,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(elasticNetParam=0.0)

    def getElasticNetParam(self) -> float:
        """Return the value of `elasticNetParam` or its default."""
        return self.getOrDefault(self.elasticNetParam)


class HasFitIntercept(Params):
    """Has the parameter `fitIntercept`."""

    fitIntercept: Param = Param(
        Params._dummy(),
        "fitIntercept",
        "whether to fit an intercept term.",
        typeConverter=TypeConverters.toBoolean,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(fitIntercept=True)

    def getFitIntercept(self) -> bool:
        """Return the value of `fitIntercept` or its default."""
        return self.getOrDefault(self.fitIntercept)


class HasStandardization(Params):
    """Has the parameter `standardization`."""

    standardization: Param = Param(
        Params._dummy(),
        "standardization",
        "whether to standardize the training features before fitting the model.",
        typeConverter=TypeConverters.toBoolean,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(standardization=True)

    def getStandardization(self) -> bool:
        """Return the value of `standardization` or its default."""
        return self.getOrDefault(self.standardization)


class HasWeightCol(Params):
    """Has the parameter `weightCol`."""

    weightCol: Param = Param(
        Params._dummy(),
        "weightCol",
        "weight column name. If this is not set or empty, we treat all instance weights as 1.0.",
        typeConverter=TypeConverters.toString,
    )

    def getWeightCol(self) -> str:
        """Return the value of `weightCol` or its default."""
        return self.getOrDefault(self.weightCol)


class HasSolver(Params):
    """Has the parameter `solver`."""

    solver: Param = Param(
        Params._dummy(),
        "solver",
        "the solver algorithm for optimization. If this is not set or empty, default "
        "value is 'auto'.",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(solver="auto")

    def getSolver(self) -> str:
        """Return the value of `solver` or its default."""
        return self.getOrDefault(self.solver)


class HasAggregationDepth(Params):
    """Has the parameter `aggregationDepth`."""

    aggregationDepth: Param = Param(
        Params._dummy(),
        "aggregationDepth",
        "suggested depth for treeAggregate (>= 2).",
        typeConverter=TypeConverters.toInt,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(aggregationDepth=2)

    def getAggregationDepth(self) -> int:
        """Return the value of `aggregationDepth` or its default."""
        return self.getOrDefault(self.aggregationDepth)


class HasLoss(Params):
    """Has the parameter `loss`."""

    loss: Param = Param(
        Params._dummy(),
        "loss",
        "the loss function to be optimized.",
        typeConverter=TypeConverters.toString,
    )

    def getLoss(self) -> str:
        """Return the value of `loss` or its default."""
        return self.getOrDefault(self.loss)


class HasDistanceMeasure(Params):
    """Has the parameter `distanceMeasure`."""

    distanceMeasure: Param = Param(
        Params._dummy(),
        "distanceMeasure",
        "the distance measure. Supported options: 'euclidean' and 'cosine'.",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(distanceMeasure="euclidean")

    def getDistanceMeasure(self) -> str:
        """Return the value of `distanceMeasure` or its default."""
        return self.getOrDefault(self.distanceMeasure)


class HasMaxBlockSizeInMB(Params):
    """Has the parameter `maxBlockSizeInMB`."""

    maxBlockSizeInMB: Param = Param(
        Params._dummy(),
        "maxBlockSizeInMB",
        "maximum memory in MB for stacking input data into blocks. Data is stacked within"
        " partitions. If more than remaining data size in a partition then it is adjusted"
        " to the data size. Default 0.0 represents choosing optimal value, depends on "
        "specific algorithm. Must be >= 0.",
        typeConverter=TypeConverters.toFloat,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(maxBlockSizeInMB=0.0)

    def getMaxBlockSizeInMB(self) -> float:
        """Return the value of `maxBlockSizeInMB` or its default."""
        return self.getOrDefault(self.maxBlockSizeInMB)


class HasNumFeatures(Params):
    """Has the parameter `numFeatures`."""

    numFeatures: Param = Param(
        Params._dummy(),
        "numFeatures",
        "Number of features. Should be greater than 0.",
        typeConverter=TypeConverters.toInt,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(numFeatures=262144)

    def getNumFeatures(self) -> int:
        """Return the value of `numFeatures` or its default."""
        return self.getOrDefault(self.numFeatures)
