# SPDX-License-Identifier: Apache-2.0
"""Features: vectors from columns, scaling, encoding."""

from __future__ import annotations

from nbaspark.ml.absent import absent
from nbaspark.ml.param import Param, Params, TypeConverters, keyword_only
from nbaspark.ml.param.shared import (
    HasHandleInvalid,
    HasInputCol,
    HasInputCols,
    HasOutputCol,
    HasOutputCols,
)
from nbaspark.ml.util import JavaMLReadable, JavaMLWritable
from nbaspark.ml.wrapper import JavaEstimator, JavaModel, JavaTransformer, with_setters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.ml.linalg import Vector

__all__ = [
    "MinMaxScaler",
    "MinMaxScalerModel",
    "OneHotEncoder",
    "OneHotEncoderModel",
    "StandardScaler",
    "StandardScalerModel",
    "StringIndexer",
    "StringIndexerModel",
    "VectorAssembler",
]


# ---- VectorAssembler ----------------------------------------------------------------------------


@with_setters("inputCols", "outputCol", "handleInvalid")
class VectorAssembler(
    JavaTransformer,
    HasInputCols,
    HasOutputCol,
    HasHandleInvalid,
    JavaMLReadable,
    JavaMLWritable,
):
    """Puts columns side by side into one vector column.

    Examples
    --------
    >>> from nbaspark.ml.feature import VectorAssembler
    >>> df = spark.createDataFrame([(1, 0, 3)], ["a", "b", "c"])
    >>> assembler = VectorAssembler(inputCols=["a", "b", "c"], outputCol="features")
    >>> assembler.transform(df).head().features
    DenseVector([1.0, 0.0, 3.0])
    """

    handleInvalid: Param = Param(
        Params._dummy(),
        "handleInvalid",
        "How to handle invalid data (NULL and NaN values). Options are 'skip' (filter out rows "
        "with invalid data), 'error' (throw an error), or 'keep' (return relevant number of NaN "
        "in the output). Column lengths are taken from the size of ML Attribute Group, which can "
        "be set using `VectorSizeHint` in a pipeline before `VectorAssembler`. Column lengths can "
        "also be inferred from first rows of the data since it is safe to do so but only in case "
        "of 'error' or 'skip').",
        typeConverter=TypeConverters.toString,
    )

    @keyword_only
    def __init__(
        self,
        *,
        inputCols: list[str] | None = None,
        outputCol: str | None = None,
        handleInvalid: str = "error",
    ):
        kwargs = self._input_kwargs
        super().__init__()
        self._setDefault(handleInvalid="error")
        self._set(**kwargs)

    @keyword_only
    def setParams(
        self,
        *,
        inputCols: list[str] | None = None,
        outputCol: str | None = None,
        handleInvalid: str = "error",
    ) -> VectorAssembler:
        """Set parameters."""
        return self._set(**self._input_kwargs)


# ---- StandardScaler -----------------------------------------------------------------------------


class _StandardScalerParams(HasInputCol, HasOutputCol):
    """Parameters of `StandardScaler` and its model."""

    withMean: Param = Param(
        Params._dummy(), "withMean", "Center data with mean", typeConverter=TypeConverters.toBoolean
    )
    withStd: Param = Param(
        Params._dummy(),
        "withStd",
        "Scale to unit standard deviation",
        typeConverter=TypeConverters.toBoolean,
    )

    def __init__(self, *args: Any):
        super().__init__(*args)
        self._setDefault(withMean=False, withStd=True)

    def getWithMean(self) -> bool:
        """Return the value of `withMean`."""
        return self.getOrDefault(self.withMean)

    def getWithStd(self) -> bool:
        """Return the value of `withStd`."""
        return self.getOrDefault(self.withStd)


@with_setters("inputCol", "outputCol")
class StandardScalerModel(JavaModel, _StandardScalerParams, JavaMLReadable, JavaMLWritable):
    """What `StandardScaler` has learnt."""

    @property
    def std(self) -> Vector:
        """Standard deviation of each feature."""
        return self._call_java("std")

    @property
    def mean(self) -> Vector:
        """Mean of each feature."""
        return self._call_java("mean")


@with_setters("withMean", "withStd", "inputCol", "outputCol")
class StandardScaler(JavaEstimator, _StandardScalerParams, JavaMLReadable, JavaMLWritable):
    """Scales features to a standard deviation of 1, and moves their mean to 0 if asked to.

    Examples
    --------
    >>> from nbaspark.ml.feature import StandardScaler
    >>> from nbaspark.ml.linalg import Vectors
    >>> df = spark.createDataFrame([(Vectors.dense([0.0]),), (Vectors.dense([2.0]),)], ["a"])
    >>> model = StandardScaler(inputCol="a", outputCol="scaled").fit(df)
    >>> model.mean, model.std
    (DenseVector([1.0]), DenseVector([1.4142]))
    >>> model.transform(df).collect()[1].scaled
    DenseVector([1.4142])
    """

    @keyword_only
    def __init__(
        self,
        *,
        withMean: bool = False,
        withStd: bool = True,
        inputCol: str | None = None,
        outputCol: str | None = None,
    ):
        kwargs = self._input_kwargs
        super().__init__()
        self._set(**kwargs)

    @keyword_only
    def setParams(
        self,
        *,
        withMean: bool = False,
        withStd: bool = True,
        inputCol: str | None = None,
        outputCol: str | None = None,
    ) -> StandardScaler:
        """Set parameters."""
        return self._set(**self._input_kwargs)

    def _create_model(self, java_model: Any) -> StandardScalerModel:
        return StandardScalerModel(java_model)


# ---- MinMaxScaler -------------------------------------------------------------------------------


class _MinMaxScalerParams(HasInputCol, HasOutputCol):
    """Parameters of `MinMaxScaler` and its model."""

    min: Param = Param(
        Params._dummy(),
        "min",
        "Lower bound of the output feature range",
        typeConverter=TypeConverters.toFloat,
    )
    max: Param = Param(
        Params._dummy(),
        "max",
        "Upper bound of the output feature range",
        typeConverter=TypeConverters.toFloat,
    )

    def __init__(self, *args: Any):
        super().__init__(*args)
        self._setDefault(min=0.0, max=1.0)

    def getMin(self) -> float:
        """Return the value of `min`."""
        return self.getOrDefault(self.min)

    def getMax(self) -> float:
        """Return the value of `max`."""
        return self.getOrDefault(self.max)


@with_setters("inputCol", "outputCol", "min", "max")
class MinMaxScalerModel(JavaModel, _MinMaxScalerParams, JavaMLReadable, JavaMLWritable):
    """What `MinMaxScaler` has learnt."""

    @property
    def originalMin(self) -> Vector:
        """Smallest value of each feature."""
        return self._call_java("originalMin")

    @property
    def originalMax(self) -> Vector:
        """Largest value of each feature."""
        return self._call_java("originalMax")


@with_setters("min", "max", "inputCol", "outputCol")
class MinMaxScaler(JavaEstimator, _MinMaxScalerParams, JavaMLReadable, JavaMLWritable):
    """Maps each feature linearly to a range, by default 0 to 1.

    Examples
    --------
    >>> from nbaspark.ml.feature import MinMaxScaler
    >>> from nbaspark.ml.linalg import Vectors
    >>> df = spark.createDataFrame([(Vectors.dense([0.0]),), (Vectors.dense([2.0]),)], ["a"])
    >>> model = MinMaxScaler(inputCol="a", outputCol="scaled", max=10.0).fit(df)
    >>> model.originalMin, model.originalMax
    (DenseVector([0.0]), DenseVector([2.0]))
    >>> model.transform(df).collect()[1].scaled
    DenseVector([10.0])
    """

    @keyword_only
    def __init__(
        self,
        *,
        min: float = 0.0,
        max: float = 1.0,
        inputCol: str | None = None,
        outputCol: str | None = None,
    ):
        kwargs = self._input_kwargs
        super().__init__()
        self._set(**kwargs)

    @keyword_only
    def setParams(
        self,
        *,
        min: float = 0.0,
        max: float = 1.0,
        inputCol: str | None = None,
        outputCol: str | None = None,
    ) -> MinMaxScaler:
        """Set parameters."""
        return self._set(**self._input_kwargs)

    def _create_model(self, java_model: Any) -> MinMaxScalerModel:
        return MinMaxScalerModel(java_model)


# ---- StringIndexer ------------------------------------------------------------------------------


class _StringIndexerParams(
    HasHandleInvalid, HasInputCol, HasOutputCol, HasInputCols, HasOutputCols
):
    """Parameters of `StringIndexer` and its model."""

    stringOrderType: Param = Param(
        Params._dummy(),
        "stringOrderType",
        "How to order labels of string column. The first label after ordering is assigned an index "
        "of 0. Supported options: frequencyDesc, frequencyAsc, alphabetDesc, alphabetAsc. Default "
        "is frequencyDesc. In case of equal frequency when under frequencyDesc/Asc, the strings "
        "are further sorted alphabetically",
        typeConverter=TypeConverters.toString,
    )
    handleInvalid: Param = Param(
        Params._dummy(),
        "handleInvalid",
        "how to handle invalid data (unseen or NULL values) in features and label column of string "
        "type. Options are 'skip' (filter out rows with invalid data), error (throw an error), or "
        "'keep' (put invalid data in a special additional bucket, at index numLabels).",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self, *args: Any):
        super().__init__(*args)
        self._setDefault(handleInvalid="error", stringOrderType="frequencyDesc")

    def getStringOrderType(self) -> str:
        """Return the value of `stringOrderType`."""
        return self.getOrDefault(self.stringOrderType)


@with_setters("inputCol", "inputCols", "outputCol", "outputCols", "handleInvalid")
class StringIndexerModel(JavaModel, _StringIndexerParams, JavaMLReadable, JavaMLWritable):
    """What `StringIndexer` has learnt."""

    @property
    def labels(self) -> list[str]:
        """Labels of the only column, in the order of their numbers."""
        return self._call_java("labels")

    @property
    def labelsArray(self) -> list[list[str]]:
        """Labels of each column, in the order of their numbers."""
        return self._call_java("labelsArray")

    @classmethod
    def _of_labels(cls, helper: str, labels: list, **params: Any) -> StringIndexerModel:
        from nbaspark.ml.wrapper import call_model_helper

        model = cls()
        model._java_obj = call_model_helper(helper, model.uid, labels)
        model._set(**{name: value for name, value in params.items() if value is not None})
        return model

    @classmethod
    def from_labels(
        cls,
        labels: list[str],
        inputCol: str,
        outputCol: str | None = None,
        handleInvalid: str | None = None,
    ) -> StringIndexerModel:
        """Make a model of labels that are known, in the order of their numbers.

        Examples
        --------
        >>> from nbaspark.ml.feature import StringIndexerModel
        >>> model = StringIndexerModel.from_labels(["b", "a"], inputCol="kind", outputCol="index")
        >>> df = spark.createDataFrame([("a",), ("b",)], ["kind"])
        >>> [row["index"] for row in model.transform(df).collect()]
        [1.0, 0.0]
        """
        return cls._of_labels(
            "stringIndexerModelFromLabels",
            list(labels),
            inputCol=inputCol,
            outputCol=outputCol,
            handleInvalid=handleInvalid,
        )

    @classmethod
    def from_arrays_of_labels(
        cls,
        arrayOfLabels: list[list[str]],
        inputCols: list[str],
        outputCols: list[str] | None = None,
        handleInvalid: str | None = None,
    ) -> StringIndexerModel:
        """Make a model of several columns, of whose labels each has a list."""
        return cls._of_labels(
            "stringIndexerModelFromLabelsArray",
            [list(labels) for labels in arrayOfLabels],
            inputCols=inputCols,
            outputCols=outputCols,
            handleInvalid=handleInvalid,
        )


@with_setters(
    "stringOrderType", "inputCol", "inputCols", "outputCol", "outputCols", "handleInvalid"
)
class StringIndexer(JavaEstimator, _StringIndexerParams, JavaMLReadable, JavaMLWritable):
    """Numbers the values of string columns, the most frequent first.

    Examples
    --------
    >>> from nbaspark.ml.feature import StringIndexer
    >>> df = spark.createDataFrame([("a",), ("b",), ("b",)], ["kind"])
    >>> model = StringIndexer(inputCol="kind", outputCol="index").fit(df)
    >>> model.labels
    ['b', 'a']
    >>> [row["index"] for row in model.transform(df).collect()]
    [1.0, 0.0, 0.0]
    """

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str | None = None,
        outputCol: str | None = None,
        inputCols: list[str] | None = None,
        outputCols: list[str] | None = None,
        handleInvalid: str = "error",
        stringOrderType: str = "frequencyDesc",
    ):
        kwargs = self._input_kwargs
        super().__init__()
        self._set(**kwargs)

    @keyword_only
    def setParams(
        self,
        *,
        inputCol: str | None = None,
        outputCol: str | None = None,
        inputCols: list[str] | None = None,
        outputCols: list[str] | None = None,
        handleInvalid: str = "error",
        stringOrderType: str = "frequencyDesc",
    ) -> StringIndexer:
        """Set parameters."""
        return self._set(**self._input_kwargs)

    def _create_model(self, java_model: Any) -> StringIndexerModel:
        return StringIndexerModel(java_model)


# ---- OneHotEncoder ------------------------------------------------------------------------------


class _OneHotEncoderParams(
    HasInputCol, HasInputCols, HasOutputCol, HasOutputCols, HasHandleInvalid
):
    """Parameters of `OneHotEncoder` and its model."""

    handleInvalid: Param = Param(
        Params._dummy(),
        "handleInvalid",
        "How to handle invalid data during transform(). Options are 'keep' (invalid data presented "
        "as an extra categorical feature) or error (throw an error). Note that this Param is only "
        "used during transform; during fitting, invalid data will result in an error.",
        typeConverter=TypeConverters.toString,
    )
    dropLast: Param = Param(
        Params._dummy(),
        "dropLast",
        "whether to drop the last category",
        typeConverter=TypeConverters.toBoolean,
    )

    def __init__(self, *args: Any):
        super().__init__(*args)
        self._setDefault(handleInvalid="error", dropLast=True)

    def getDropLast(self) -> bool:
        """Return the value of `dropLast`."""
        return self.getOrDefault(self.dropLast)


@with_setters("dropLast", "inputCol", "inputCols", "outputCol", "outputCols", "handleInvalid")
class OneHotEncoderModel(JavaModel, _OneHotEncoderParams, JavaMLReadable, JavaMLWritable):
    """What `OneHotEncoder` has learnt."""

    @property
    def categorySizes(self) -> list[int]:
        """Number of categories of each column."""
        return self._call_java("categorySizes")


@with_setters("dropLast", "inputCol", "inputCols", "outputCol", "outputCols", "handleInvalid")
class OneHotEncoder(JavaEstimator, _OneHotEncoderParams, JavaMLReadable, JavaMLWritable):
    """Makes of each category number a vector with a single 1.

    Examples
    --------
    >>> from nbaspark.ml.feature import OneHotEncoder
    >>> df = spark.createDataFrame([(0.0,), (1.0,), (2.0,)], ["n"])
    >>> model = OneHotEncoder(inputCol="n", outputCol="hot").fit(df)
    >>> [row.hot for row in model.transform(df).collect()]
    [SparseVector(2, {0: 1.0}), SparseVector(2, {1: 1.0}), SparseVector(2, {})]
    """

    @keyword_only
    def __init__(
        self,
        *,
        inputCols: list[str] | None = None,
        outputCols: list[str] | None = None,
        handleInvalid: str = "error",
        dropLast: bool = True,
        inputCol: str | None = None,
        outputCol: str | None = None,
    ):
        kwargs = self._input_kwargs
        super().__init__()
        self._set(**kwargs)

    @keyword_only
    def setParams(
        self,
        *,
        inputCols: list[str] | None = None,
        outputCols: list[str] | None = None,
        handleInvalid: str = "error",
        dropLast: bool = True,
        inputCol: str | None = None,
        outputCol: str | None = None,
    ) -> OneHotEncoder:
        """Set parameters."""
        return self._set(**self._input_kwargs)

    def _create_model(self, java_model: Any) -> OneHotEncoderModel:
        return OneHotEncoderModel(java_model)


__getattr__ = absent(
    __name__,
    """Binarizer BucketedRandomProjectionLSH BucketedRandomProjectionLSHModel Bucketizer
    ChiSqSelector ChiSqSelectorModel CountVectorizer CountVectorizerModel DCT ElementwiseProduct
    FeatureHasher HashingTF IDF IDFModel Imputer ImputerModel IndexToString Interaction
    MaxAbsScaler MaxAbsScalerModel MinHashLSH MinHashLSHModel NGram Normalizer PCA PCAModel
    PolynomialExpansion QuantileDiscretizer RobustScaler RobustScalerModel RegexTokenizer RFormula
    RFormulaModel SQLTransformer StopWordsRemover TargetEncoder TargetEncoderModel Tokenizer
    UnivariateFeatureSelector UnivariateFeatureSelectorModel VarianceThresholdSelector
    VarianceThresholdSelectorModel VectorIndexer VectorIndexerModel VectorSizeHint VectorSlicer
    Word2Vec Word2VecModel""",
)
