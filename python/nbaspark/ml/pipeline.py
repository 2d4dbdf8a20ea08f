# SPDX-License-Identifier: Apache-2.0
"""Pipelines: stages that run one after the other."""

from __future__ import annotations

from nbaspark.ml.base import Estimator, Model, Transformer
from nbaspark.ml.param import Param, Params, keyword_only
from nbaspark.ml.util import (
    DefaultParamsReader,
    DefaultParamsWriter,
    MLReadable,
    MLReader,
    MLWritable,
    MLWriter,
    _prepare,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql import DataFrame

__all__ = ["Pipeline", "PipelineModel"]


class Pipeline(Estimator, MLReadable, MLWritable):
    """Stages, each a transformer or an estimator, that are fitted in order.

    An estimator is fitted to the rows as the stages before have transformed them.

    Examples
    --------
    >>> from nbaspark.ml import Pipeline
    >>> from nbaspark.ml.clustering import KMeans
    >>> from nbaspark.ml.feature import VectorAssembler
    >>> df = spark.createDataFrame([(0, 1), (1, 0), (9, 9)], ["x", "y"])
    >>> assembler = VectorAssembler(inputCols=["x", "y"], outputCol="features")
    >>> model = Pipeline(stages=[assembler, KMeans(k=2, seed=1)]).fit(df)
    >>> model.transform(df).select("prediction").distinct().count()
    2
    """

    stages: Param = Param(Params._dummy(), "stages", "a list of pipeline stages")

    @keyword_only
    def __init__(self, *, stages: list[Any] | None = None):
        kwargs = self._input_kwargs
        super().__init__()
        self.setParams(**kwargs)

    def setStages(self, value: list[Any]) -> Pipeline:
        """Set `stages`."""
        return self._set(stages=value)

    def getStages(self) -> list[Any]:
        """Return the stages."""
        return self.getOrDefault(self.stages)

    @keyword_only
    def setParams(self, *, stages: list[Any] | None = None) -> Pipeline:
        """Set parameters."""
        return self._set(**self._input_kwargs)

    def _fit(self, dataset: DataFrame) -> PipelineModel:
        stages = self.getStages()
        for stage in stages:
            if not isinstance(stage, (Estimator, Transformer)):
                raise TypeError(f"Cannot recognize a pipeline stage of type {type(stage)}.")
        last = max((i for i, s in enumerate(stages) if isinstance(s, Estimator)), default=-1)
        fitted: list[Transformer] = []
        for i, stage in enumerate(stages):
            if i > last:
                fitted.append(stage)
                continue
            model = stage.fit(dataset) if isinstance(stage, Estimator) else stage
            fitted.append(model)
            if i < last:
                dataset = model.transform(dataset)
        return PipelineModel(fitted)

    def copy(self, extra: dict[Param, Any] | None = None) -> Pipeline:
        that = Params.copy(self, extra)
        return that.setStages([stage.copy(extra) for stage in that.getStages()])

    def write(self) -> MLWriter:
        return _StagesWriter(self)

    @classmethod
    def read(cls) -> MLReader:
        return _StagesReader(cls)


class PipelineModel(Model, MLReadable, MLWritable):
    """A pipeline whose stages have been fitted."""

    def __init__(self, stages: list[Any]):
        super().__init__()
        self.stages = stages

    def _transform(self, dataset: DataFrame) -> DataFrame:
        for stage in self.stages:
            dataset = stage.transform(dataset)
        return dataset

    def copy(self, extra: dict[Param, Any] | None = None) -> PipelineModel:
        return PipelineModel([stage.copy(extra) for stage in self.stages])

    def write(self) -> MLWriter:
        return _StagesWriter(self)

    @classmethod
    def read(cls) -> MLReader:
        return _StagesReader(cls)


class _StagesWriter(MLWriter):
    """Writes the stages side by side, and their order as metadata."""

    def __init__(self, instance: Any):
        super().__init__()
        self._instance = instance

    def save(self, path: str) -> None:
        instance, session = self._instance, self.sparkSession
        stages = instance.stages if isinstance(instance, PipelineModel) else instance.getStages()
        for stage in stages:
            if not isinstance(stage, MLWritable):
                raise ValueError(
                    f"Pipeline write will fail on this pipeline because stage {stage.uid} of type "
                    f"{type(stage)} is not MLWritable"
                )
        _prepare(self, path)
        uids = {"stageUids": [stage.uid for stage in stages], "language": "Python"}
        DefaultParamsWriter.saveMetadata(instance, path, session, paramMap=uids)
        for i, stage in enumerate(stages):
            at = _stage_path(path, i, len(stages), stage.uid)
            stage.write().session(session).save(at)


class _StagesReader(MLReader):
    def __init__(self, cls: Any):
        super().__init__()
        self._cls = cls

    def load(self, path: str) -> Any:
        session = self.sparkSession
        metadata = DefaultParamsReader.loadMetadata(path, session)
        uids = metadata["paramMap"]["stageUids"]
        stages = [
            DefaultParamsReader.loadParamsInstance(_stage_path(path, i, len(uids), uid), session)
            for i, uid in enumerate(uids)
        ]
        instance = PipelineModel(stages) if self._cls is PipelineModel else Pipeline(stages=stages)
        return instance._resetUid(metadata["uid"])


def _stage_path(path: str, index: int, n: int, uid: str) -> str:
    return f"{path}/stages/{str(index).zfill(len(str(n)))}_{uid}"
