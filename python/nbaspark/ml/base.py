# SPDX-License-Identifier: Apache-2.0
"""Estimators, transformers and models."""

from __future__ import annotations

from nbaspark.ml.param import Params
from nbaspark.ml.param.shared import (
    HasFeaturesCol,
    HasInputCol,
    HasLabelCol,
    HasOutputCol,
    HasPredictionCol,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from nbaspark.sql import DataFrame


class Estimator(Params):
    """Learns a model from data."""

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    def _fit(self, dataset: DataFrame) -> Any:
        raise NotImplementedError

    def fit(self, dataset: DataFrame, params: Any = None) -> Any:
        """Return the model that is learnt from the rows.

        Parameters
        ----------
        dataset : DataFrame
        params : dict, or a list or tuple of dicts, optional
            Values that override those of the estimator. A list gives a list of models.
        """
        if params is None or params == {}:
            return self._fit(dataset)
        if isinstance(params, (list, tuple)):
            return [model for _, model in self.fitMultiple(dataset, params)]
        if isinstance(params, dict):
            return self.copy(params)._fit(dataset)
        raise TypeError(
            "Params must be either a param map or a list/tuple of param maps, "
            f"but got {type(params)}."
        )

    def fitMultiple(self, dataset: DataFrame, paramMaps: Any) -> Iterator[tuple[int, Any]]:
        """Yield (index, model) for each of the parameter maps."""
        estimator = self.copy()
        for index, params in enumerate(paramMaps):
            yield index, estimator.fit(dataset, params)


class Transformer(Params):
    """Makes one DataFrame of another."""

    def _transform(self, dataset: DataFrame) -> DataFrame:
        raise NotImplementedError

    def transform(self, dataset: DataFrame, params: Any = None) -> DataFrame:
        """Return the rows with what the transformer adds.

        Parameters
        ----------
        dataset : DataFrame
        params : dict, optional
            Values that override those of the transformer.
        """
        if params is None or params == {}:
            return self._transform(dataset)
        if isinstance(params, dict):
            return self.copy(params)._transform(dataset)
        raise TypeError(f"Params must be a param map but got {type(params)}.")


class Model(Transformer):
    """A transformer that an estimator has learnt."""


class _PredictorParams(HasLabelCol, HasFeaturesCol, HasPredictionCol):
    """Parameters of predictors and their models."""

    def setFeaturesCol(self, value: str) -> Any:
        """Set `featuresCol`."""
        return self._set(featuresCol=value)

    def setPredictionCol(self, value: str) -> Any:
        """Set `predictionCol`."""
        return self._set(predictionCol=value)


class Predictor(Estimator, _PredictorParams):
    """An estimator that predicts labels."""

    def setLabelCol(self, value: str) -> Any:
        """Set `labelCol`."""
        return self._set(labelCol=value)


class PredictionModel(Model, _PredictorParams):
    """A model that predicts labels."""

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    @property
    def numFeatures(self) -> int:
        """Number of features that the model was trained on."""
        raise NotImplementedError

    def predict(self, value: Any) -> float:
        """Return the prediction for one vector of features."""
        raise NotImplementedError


class UnaryTransformer(HasInputCol, HasOutputCol, Transformer):
    """A transformer of one column by a Python function."""

    def setInputCol(self, value: str) -> Any:
        """Set `inputCol`."""
        return self._set(inputCol=value)

    def setOutputCol(self, value: str) -> Any:
        """Set `outputCol`."""
        return self._set(outputCol=value)

    def createTransformFunc(self) -> Any:
        """Return the function."""
        raise NotImplementedError

    def outputDataType(self) -> Any:
        """Return the type of the function's results."""
        raise NotImplementedError

    def validateInputType(self, inputType: Any) -> None:
        """Raise when the column is of a wrong type."""
        raise NotImplementedError

    def _transform(self, dataset: DataFrame) -> DataFrame:
        from nbaspark.sql.functions import udf

        self.validateInputType(dataset.schema[self.getInputCol()].dataType)
        if self.getOutputCol() in dataset.columns:
            raise ValueError(f"Output column {self.getOutputCol()} already exists.")
        function = udf(self.createTransformFunc(), self.outputDataType())
        return dataset.withColumn(self.getOutputCol(), function(dataset[self.getInputCol()]))
