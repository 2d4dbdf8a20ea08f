# SPDX-License-Identifier: Apache-2.0
"""Machine learning on DataFrames: PySpark's `pyspark.ml`."""

_LAZY = {
    "Estimator": "base",
    "Model": "base",
    "PredictionModel": "base",
    "Predictor": "base",
    "Transformer": "base",
    "UnaryTransformer": "base",
    "Pipeline": "pipeline",
    "PipelineModel": "pipeline",
}

_SUBMODULES = (
    "base classification clustering evaluation feature fpm functions image linalg param pipeline "
    "recommendation regression stat tuning util wrapper"
).split()

__all__ = [
    "Transformer",
    "UnaryTransformer",
    "Estimator",
    "Model",
    "Predictor",
    "PredictionModel",
    "Pipeline",
    "PipelineModel",
    "classification",
    "clustering",
    "evaluation",
    "feature",
    "fpm",
    "image",
    "linalg",
    "param",
    "recommendation",
    "regression",
    "stat",
    "tuning",
    "util",
]


def __getattr__(name: str):
    from importlib import import_module

    if name in _LAZY:
        value = getattr(import_module(f"nbaspark.ml.{_LAZY[name]}"), name)
    elif name in _SUBMODULES:
        value = import_module(f"nbaspark.ml.{name}")
    else:
        raise AttributeError(f"module 'nbaspark.ml' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(_LAZY) | set(_SUBMODULES))
