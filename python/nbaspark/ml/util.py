# SPDX-License-Identifier: Apache-2.0
"""Names of objects, and how they are written and read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "DefaultParamsReadable",
    "DefaultParamsReader",
    "DefaultParamsWritable",
    "DefaultParamsWriter",
    "HasTrainingSummary",
    "Identifiable",
    "JavaMLReadable",
    "JavaMLWritable",
    "MLReadable",
    "MLReader",
    "MLWritable",
    "MLWriter",
]


class Identifiable:
    """Has a unique name, its `uid`."""

    def __init__(self) -> None:
        self.uid = self._randomUID()

    def __repr__(self) -> str:
        return self.uid

    @classmethod
    def _randomUID(cls) -> str:
        from os import urandom

        return f"{cls.__name__}_{urandom(6).hex()}"


class BaseReadWrite:
    """Knows the session that reads or writes."""

    def __init__(self) -> None:
        self._sparkSession: Any = None

    def session(self, sparkSession: Any) -> Any:
        """Use this session."""
        self._sparkSession = sparkSession
        return self

    @property
    def sparkSession(self) -> Any:
        """The session given, or the active one."""
        if self._sparkSession is None:
            from nbaspark.sql import SparkSession

            self._sparkSession = SparkSession.active()
        return self._sparkSession


class MLWriter(BaseReadWrite):
    """Writes an object to a directory."""

    def __init__(self) -> None:
        super().__init__()
        self.shouldOverwrite = False
        self.optionMap: dict[str, Any] = {}

    def save(self, path: str) -> None:
        """Write to `path`; an existing directory is an error unless `overwrite` was called."""
        raise NotImplementedError

    def saveImpl(self, path: str) -> None:
        """Write to `path`, which is free."""
        raise NotImplementedError

    def overwrite(self) -> MLWriter:
        """Replace what is at the path."""
        self.shouldOverwrite = True
        return self

    def option(self, key: str, value: Any) -> MLWriter:
        """Set an option of the format."""
        self.optionMap[key.lower()] = str(value)
        return self


class MLReader(BaseReadWrite):
    """Reads an object from a directory."""

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    def load(self, path: str) -> Any:
        """Read the object at `path`."""
        raise NotImplementedError


class MLWritable:
    """Can be written."""

    def write(self) -> MLWriter:
        """Return a writer of this object."""
        raise NotImplementedError

    def save(self, path: str) -> None:
        """Write this object to `path`, which must not exist; see also `write`."""
        self.write().save(path)


class MLReadable:
    """Can be read."""

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    @classmethod
    def read(cls) -> MLReader:
        """Return a reader of this class."""
        raise NotImplementedError

    @classmethod
    def load(cls, path: str) -> Any:
        """Read an object of this class from `path`."""
        return cls.read().load(path)


class JavaMLWritable(MLWritable):
    """Is written by the engine. The name is PySpark's."""

    def write(self) -> MLWriter:
        from nbaspark.ml.wrapper import RemoteWriter

        return RemoteWriter(self)


class JavaMLReadable(MLReadable):
    """Is read by the engine. The name is PySpark's."""

    @classmethod
    def read(cls) -> MLReader:
        from nbaspark.ml.wrapper import RemoteReader

        return RemoteReader(cls)


GeneralJavaMLWritable = JavaMLWritable


class HasTrainingSummary:
    """Has a summary of its training."""

    _summary: Any = None

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    @property
    def hasSummary(self) -> bool:
        """Whether there is a summary: not for models that were loaded."""
        return self._summary is not None

    @property
    def summary(self) -> Any:
        """The summary of the training."""
        if self._summary is None:
            raise RuntimeError(f"No training summary available for this {type(self).__name__}")
        return self._summary


def _write_text(session: Any, path: str, text: str) -> None:
    session.createDataFrame([(text,)], ["value"]).coalesce(1).write.text(path)


class DefaultParamsWriter(MLWriter):
    """Writes an object that is made of its parameters alone, as JSON."""

    def __init__(self, instance: Any):
        super().__init__()
        self.instance = instance

    def save(self, path: str) -> None:
        _prepare(self, path)
        self.saveImpl(path)

    def saveImpl(self, path: str) -> None:
        DefaultParamsWriter.saveMetadata(self.instance, path, self.sparkSession)

    @staticmethod
    def saveMetadata(
        instance: Any,
        path: str,
        sc: Any,
        extraMetadata: dict[str, Any] | None = None,
        paramMap: dict[str, Any] | None = None,
    ) -> None:
        """Write class, uid and parameters below `path`."""
        from json import dumps
        from time import time

        kind = type(instance)
        params = instance._paramMap
        metadata = {
            "class": f"{kind.__module__.replace('nbaspark', 'pyspark', 1)}.{kind.__name__}",
            "timestamp": int(time() * 1000),
            "sparkVersion": sc.version,
            "uid": instance.uid,
            "paramMap": {p.name: v for p, v in params.items()} if paramMap is None else paramMap,
            "defaultParamMap": {p.name: v for p, v in instance._defaultParamMap.items()},
            **(extraMetadata or {}),
        }
        _write_text(sc, f"{path}/metadata", dumps(metadata, separators=(",", ":")))


def _prepare(writer: MLWriter, path: str) -> None:
    """Refuse a path that exists, or make room when the writer overwrites."""
    from nbaspark.ml.wrapper import call_helper

    call_helper(writer.sparkSession, "handleOverwrite", path, writer.shouldOverwrite)


class DefaultParamsReader(MLReader):
    """Reads what `DefaultParamsWriter` wrote."""

    def __init__(self, cls: Any):
        super().__init__()
        self.cls = cls

    def load(self, path: str) -> Any:
        metadata = DefaultParamsReader.loadMetadata(path, self.sparkSession)
        instance = _class_of(metadata["class"])()
        instance._resetUid(metadata["uid"])
        DefaultParamsReader.getAndSetParams(instance, metadata)
        return instance

    @staticmethod
    def loadMetadata(path: str, sc: Any, expectedClassName: str = "") -> dict[str, Any]:
        """Read the metadata below `path`."""
        from json import loads

        metadata = loads(sc.read.text(f"{path}/metadata").first()[0])
        if expectedClassName and metadata["class"] != expectedClassName:
            raise AssertionError(
                f"Error loading metadata: Expected class name {expectedClassName} but found "
                f"class name {metadata['class']}"
            )
        return metadata

    @staticmethod
    def getAndSetParams(
        instance: Any, metadata: dict[str, Any], skipParams: list[str] | None = None
    ) -> None:
        """Set the parameters that the metadata holds."""
        for name, value in metadata["paramMap"].items():
            if not skipParams or name not in skipParams:
                instance.set(instance.getParam(name), value)
        for name, value in metadata.get("defaultParamMap", {}).items():
            instance._setDefault(**{name: value})

    @staticmethod
    def loadParamsInstance(path: str, sc: Any) -> Any:
        """Read an object of whatever class was written to `path`."""
        metadata = DefaultParamsReader.loadMetadata(path, sc)
        return _class_of(metadata["class"]).read().session(sc).load(path)


class DefaultParamsWritable(MLWritable):
    """Is made of its parameters alone."""

    def write(self) -> MLWriter:
        return DefaultParamsWriter(self)


class DefaultParamsReadable(MLReadable):
    """Is made of its parameters alone."""

    @classmethod
    def read(cls) -> MLReader:
        return DefaultParamsReader(cls)


def _class_of(name: str) -> Any:
    """Return the class that goes by a name of PySpark, of Apache Spark, or of ours."""
    from importlib import import_module

    for prefix in ("org.apache.spark.", "pyspark."):
        if name.startswith(prefix):
            name = "nbaspark." + name[len(prefix) :]
    parts = name.split(".")
    if parts[-2] in ("Pipeline", "PipelineModel"):  # a nested reader
        parts = parts[:-1]
    module = ".".join(parts[:-1])
    if module == "nbaspark.ml":
        module = "nbaspark.ml.pipeline"
    return getattr(import_module(module), parts[-1])
