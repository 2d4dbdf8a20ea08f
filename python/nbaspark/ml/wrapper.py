# SPDX-License-Identifier: Apache-2.0
"""Estimators, transformers, models and evaluators that live in the engine.

What Python holds of them are parameters and, of a model, a reference: fitting, transforming and
asking are messages of Spark Connect (spark.connect.MlCommand and MlRelation). The names of the
classes are PySpark's, where a JVM is behind them.
"""

from __future__ import annotations

from nbaspark.ml.base import Estimator, Model, PredictionModel, Predictor, Transformer
from nbaspark.ml.param import Params
from nbaspark.ml.serialize import from_literal, to_literal
from nbaspark.ml.util import MLReader, MLWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql import DataFrame

_HELPER = "______ML_CONNECT_HELPER______"


def _session() -> Any:
    from nbaspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is None:
        raise RuntimeError("No active session: SparkSession.builder.getOrCreate() makes one")
    return session


def _run(session: Any, **command: Any) -> dict[str, Any]:
    """Run a command and return its answer."""
    from nbaspark.sql.session import _answers

    for answer in _answers(session._command({"ml_command": command})):
        if answer.get("ml_command_result"):
            return answer["ml_command_result"]
    return {}


def _params(instance: Params) -> dict[str, Any]:
    return {"params": {p.name: to_literal(value) for p, value in instance._paramMap.items()}}


def _set_params(instance: Params, info: dict[str, Any]) -> None:
    for name, value in ((info.get("params") or {}).get("params") or {}).items():
        if instance.hasParam(name):
            instance._set(**{name: from_literal(value)})


def _fetch(session: Any, ref: str, method: str, *args: Any) -> Any:
    body = _fetch_body(ref, method, *args)
    answer = _run(session, fetch=body)
    if answer.get("summary") is not None:
        return answer["summary"]
    if answer.get("operator_info"):
        return answer["operator_info"]["obj_ref"]["id"]
    return from_literal(answer["param"])


def _fetch_body(ref: str, method: str, *args: Any) -> dict[str, Any]:
    """A reference may name an attribute: ``id.summary``."""
    base, *chain = ref.split(".")
    methods: list[dict[str, Any]] = [{"method": name} for name in chain]
    arguments = [
        {"input": arg._plan} if hasattr(arg, "_plan") else {"param": to_literal(arg)}
        for arg in args
    ]
    methods.append({"method": method, "args": arguments})
    return {"obj_ref": {"id": base}, "methods": methods}


def call_helper(session: Any, method: str, *args: Any) -> Any:
    """Call a method of the engine that belongs to no object."""
    return _fetch(session, _HELPER, method, *args)


class _Reference(str):
    """The name of a model in the engine.

    Python objects and plans hold it; when the last of them goes, the engine forgets the model.
    """

    session: Any = None

    def __del__(self) -> None:
        try:
            if self.session is not None:
                _run(self.session, delete={"obj_refs": [{"id": str(self)}]})
        except Exception:  # the session is gone, and the model with it
            return


def _reference(info: dict[str, Any], session: Any) -> _Reference:
    reference = _Reference(info["obj_ref"]["id"])
    reference.session = session
    return reference


def call_model_helper(method: str, *args: Any) -> _Reference:
    """Call such a method that makes a model, and return the reference to it."""
    session = _session()
    return _reference({"obj_ref": {"id": call_helper(session, method, *args)}}, session)


class JavaWrapper:
    """Something that lives in the engine."""

    _java_obj: Any

    def __init__(self, java_obj: Any = None):
        super().__init__()
        self._java_obj = java_obj

    def _call_java(self, name: str, *args: Any) -> Any:
        ref = self._java_obj
        session = ref.session if isinstance(ref, _Reference) else _session()
        return _fetch(session, str(ref), name, *args)


class JavaParams(JavaWrapper, Params):
    """Something with parameters that lives in the engine."""

    def __init__(self, java_obj: Any = None):
        super().__init__(java_obj or self._engine_class())

    @classmethod
    def _engine_class(cls) -> str:
        """Return the name under which Apache Spark and our engine know the class."""
        return cls.__module__.replace("nbaspark", "org.apache.spark", 1) + "." + cls.__name__

    def _operator(self, kind: str) -> dict[str, Any]:
        return {"name": self._engine_class(), "uid": self.uid, "type": f"OPERATOR_TYPE_{kind}"}


class JavaEstimator(JavaParams, Estimator):
    """An estimator of the engine."""

    def _create_model(self, java_model: Any) -> Any:
        raise NotImplementedError

    def _fit(self, dataset: DataFrame) -> Any:
        session = dataset.sparkSession
        fit = {
            "estimator": self._operator("ESTIMATOR"),
            "params": _params(self),
            "dataset": dataset._plan,
        }
        info = _run(session, fit=fit)["operator_info"]
        if info.get("warning_message"):
            import logging

            logging.getLogger("nbaspark.ml.util").warning(info["warning_message"])
        model = self._create_model(_reference(info, session))
        model._resetUid(self.uid)
        self._copyValues(model)
        if hasattr(model, "_summaryCls"):
            model._summary = model._summaryCls(model, dataset)
        return model


class JavaTransformer(JavaParams, Transformer):
    """A transformer of the engine."""

    def _transform(self, dataset: DataFrame) -> DataFrame:
        from nbaspark.sql.dataframe import DataFrame
        from nbaspark.sql.plan import relation

        if isinstance(self._java_obj, _Reference):
            operator = {"obj_ref": {"id": self._java_obj}}
        else:
            operator = {"transformer": self._operator("TRANSFORMER")}
        transform = {**operator, "input": dataset._plan, "params": _params(self)}
        return DataFrame(relation("ml_relation", {"transform": transform}), dataset.sparkSession)


class JavaModel(JavaTransformer, Model):
    """A model of the engine."""

    def __init__(self, java_model: Any = None):
        super().__init__(java_model)

    def __repr__(self) -> str:
        return self._call_java("toString")


class JavaPredictor(Predictor, JavaEstimator):
    """A predictor of the engine."""


class JavaPredictionModel(PredictionModel, JavaModel):
    """A model of the engine that predicts."""

    @property
    def numFeatures(self) -> int:
        """Number of features that the model was trained on."""
        return self._call_java("numFeatures")

    def predict(self, value: Any) -> float:
        """Return the prediction for one vector of features."""
        return self._call_java("predict", value)


class JavaSummary:
    """The summary of a model's training, or of other rows: that one has a name of its own."""

    def __init__(self, model: Any, dataset: DataFrame | None = None, summary: str = ""):
        if summary:
            self._owner = _reference({"obj_ref": {"id": summary}}, model._java_obj.session)
        else:
            self._owner = model._java_obj
        self._dataset = dataset
        self._ref = summary or f"{model._java_obj}.summary"

    def _call_java(self, name: str, *args: Any) -> Any:
        return _fetch(self._owner.session, self._ref, name, *args)

    def _relation(self, name: str) -> DataFrame:
        from nbaspark.sql.dataframe import DataFrame
        from nbaspark.sql.plan import relation

        body: dict[str, Any] = {"fetch": _fetch_body(self._ref, name)}
        if self._dataset is not None:
            body["model_summary_dataset"] = self._dataset._plan
        body["fetch"]["obj_ref"] = {"id": self._owner}
        return DataFrame(relation("ml_relation", body), self._owner.session)


def evaluate(evaluator: Any, dataset: DataFrame) -> float:
    """Return the metric that an evaluator of the engine computes."""
    body = {
        "evaluator": evaluator._operator("EVALUATOR"),
        "params": _params(evaluator),
        "dataset": dataset._plan,
    }
    return from_literal(_run(dataset.sparkSession, evaluate=body)["param"])


def _kind_of(cls: type) -> str:
    if issubclass(cls, JavaModel):
        return "MODEL"
    if issubclass(cls, JavaEstimator):
        return "ESTIMATOR"
    return "TRANSFORMER" if issubclass(cls, JavaTransformer) else "EVALUATOR"


class RemoteWriter(MLWriter):
    """Writes what lives in the engine."""

    def __init__(self, instance: Any):
        super().__init__()
        self._instance = instance

    def save(self, path: str) -> None:
        instance = self._instance
        body: dict[str, Any] = {
            "params": _params(instance),
            "path": path,
            "should_overwrite": self.shouldOverwrite,
            "options": self.optionMap,
        }
        if isinstance(instance._java_obj, _Reference):
            body["obj_ref"] = {"id": str(instance._java_obj)}
        else:
            body["operator"] = instance._operator(_kind_of(type(instance)))
        _run(self.sparkSession, write=body)


class RemoteReader(MLReader):
    """Reads what lives in the engine."""

    def __init__(self, cls: Any):
        super().__init__()
        self._cls = cls

    def load(self, path: str) -> Any:
        session = self.sparkSession
        operator = {
            "name": self._cls._engine_class(),
            "type": f"OPERATOR_TYPE_{_kind_of(self._cls)}",
        }
        info = _run(session, read={"operator": operator, "path": path})["operator_info"]
        if info.get("obj_ref"):
            instance = self._cls(_reference(info, session))
        else:
            instance = self._cls()
        instance._resetUid(info["uid"])
        _set_params(instance, info)
        return instance


def with_setters(*names: str) -> Any:
    """Give a class a method ``setX`` for each of these parameters."""

    def decorate(cls: type) -> type:
        for name in names:
            method = f"set{name[0].upper()}{name[1:]}"
            if method not in vars(cls):
                setattr(cls, method, _setter(cls, method, name))
        return cls

    return decorate


def _setter(cls: type, method: str, name: str) -> Any:
    def setter(self: Params, value: Any) -> Any:
        return self._set(**{name: value})

    setter.__name__ = method
    setter.__qualname__ = f"{cls.__qualname__}.{method}"
    setter.__doc__ = f"Set `{name}`."
    return setter
