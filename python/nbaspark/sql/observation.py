# SPDX-License-Identifier: Apache-2.0
"""Observation: metrics of the rows that go by while an action runs.

The name of an observation in a plan carries the observation along, so that what a result brings finds its
way back: only a result with metrics makes its plan be searched for such names.
"""

from __future__ import annotations

from nbaspark.errors import PySparkAssertionError
from nbaspark.errors.raising import not_expected, type_error, value_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql.column import Column
    from nbaspark.sql.dataframe import DataFrame

__all__ = ["Observation"]


class Observation:
    """Metrics that `DataFrame.observe` collects while the first action runs.

    Parameters
    ----------
    name : str, optional
        The name of the metrics; one of its own by default.

    Notes
    -----
    The metrics are those of all rows of the observed DataFrame, also where the action needs few of
    them; Spark's are then of the rows that it happened to make.

    Examples
    --------
    >>> from nbaspark.sql import Observation, functions as F
    >>> seen = Observation("seen")
    >>> df = spark.range(10).observe(seen, F.count(F.lit(1)).alias("n"), F.max("id"))
    >>> df.filter("id > 7").count()
    2
    >>> seen.get
    {'n': 10, 'max(id)': 9}
    """

    def __init__(self, name: str | None = None):
        if name is not None and not isinstance(name, str):
            raise not_expected("name", name, "str")
        if name == "":
            raise value_error("VALUE_NOT_NON_EMPTY_STR", arg_name="name", arg_value=name)
        self._name = name
        self._result: dict[str, Any] | None = None

    def _on(self, df: DataFrame, exprs: tuple[Column, ...]) -> DataFrame:
        if self._result is not None:
            raise PySparkAssertionError(errorClass="REUSE_OBSERVATION", messageParameters={})
        if self._name is None:
            from uuid import uuid4

            self._name = str(uuid4())
        self._result = {}
        return df.observe(_Name(self), *exprs)

    @property
    def get(self) -> dict[str, Any]:
        """The metrics by name; empty before an action has run."""
        if self._result is None:
            raise PySparkAssertionError(errorClass="NO_OBSERVE_BEFORE_GET", messageParameters={})
        return self._result


class _Name(str):
    """The name of an observation in a plan."""

    observation: Observation

    def __new__(cls, observation: Observation) -> _Name:
        name = super().__new__(cls, observation._name)
        name.observation = observation
        return name


def deliver(plan: Any, observed: list[dict[str, Any]]) -> None:
    """Give metrics, trees of ObservedMetrics, to the observations of a plan."""
    by_name = {metrics.get("name"): metrics for metrics in observed}
    waiting, seen = [plan], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            name = part.get("name")
            if isinstance(name, _Name) and name in by_name:
                metrics = by_name[name]
                values = [_value(v) for v in metrics.get("values") or ()]
                name.observation._result = dict(zip(metrics.get("keys") or (), values))
            waiting += part.values()
        elif isinstance(part, (list, tuple)):
            waiting += part


def _value(literal: dict[str, Any]) -> Any:
    """Return the Python value of a literal."""
    from decimal import Decimal

    from nbaspark.sql import types
    from nbaspark.sql.types_proto import from_tree

    kind, body = next((k, v) for k, v in literal.items() if k != "data_type")
    if kind == "null":
        return None
    if kind == "decimal":
        return Decimal(body["value"])
    if kind == "time":
        return types.TimeType().fromInternal(body["nano"])
    if kind in _INTERNAL:
        return getattr(types, _INTERNAL[kind])().fromInternal(body)
    if kind == "array":
        return [_value(v) for v in body.get("elements") or ()]
    if kind == "map":
        return {
            _value(k): _value(v) for k, v in zip(body.get("keys") or (), body.get("values") or ())
        }
    if kind == "struct":
        names = from_tree(body["struct_type"]).names  # type: ignore[attr-defined]
        return types.Row(*names)(*[_value(v) for v in body.get("elements") or ()])
    if kind in _PLAIN:
        return body
    raise type_error("UNSUPPORTED_LITERAL", literal=literal)


_PLAIN = ("boolean", "byte", "short", "integer", "long", "float", "double", "string", "binary")
_INTERNAL = {
    "date": "DateType",
    "timestamp": "TimestampType",
    "timestamp_ntz": "TimestampNTZType",
    "day_time_interval": "DayTimeIntervalType",
}
