# SPDX-License-Identifier: Apache-2.0
"""SparkConf: properties of an application, collected before it starts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["SparkConf"]


class SparkConf:
    """Properties of an application.

    Parameters
    ----------
    loadDefaults : bool
        Whether to begin with those of ``spark-defaults.conf`` and of the environment.

    Examples
    --------
    >>> from nbaspark import SparkConf
    >>> conf = SparkConf(loadDefaults=False).setMaster("local[2]").setAppName("demo")
    >>> conf.get("spark.master"), conf.contains("spark.home")
    ('local[2]', False)
    """

    def __init__(self, loadDefaults: bool = True, _jvm: Any = None, _jconf: Any = None):
        self._conf: dict[str, str] = {}
        if loadDefaults:
            import os

            from nbaspark.defaults import load

            self._conf = load(os.environ)

    def set(self, key: str, value: str) -> SparkConf:
        """Set a property."""
        self._conf[key] = str(value)
        return self

    def setIfMissing(self, key: str, value: str) -> SparkConf:
        """Set a property unless it is set already."""
        self._conf.setdefault(key, str(value))
        return self

    def setMaster(self, value: str) -> SparkConf:
        """Set where the application runs."""
        return self.set("spark.master", value)

    def setAppName(self, value: str) -> SparkConf:
        """Set the name of the application."""
        return self.set("spark.app.name", value)

    def setSparkHome(self, value: str) -> SparkConf:
        """Set the folder that Spark is installed in."""
        return self.set("spark.home", value)

    def setExecutorEnv(
        self,
        key: str | None = None,
        value: str | None = None,
        pairs: list[tuple[str, str]] | None = None,
    ) -> SparkConf:
        """Set environment variables of the executors."""
        if (key is not None and pairs is not None) or (key is None and pairs is None):
            raise RuntimeError("Either pass one key-value pair or a list of pairs")
        for name, text in pairs if pairs is not None else [(key, value)]:
            self.set(f"spark.executorEnv.{name}", str(text))
        return self

    def setAll(self, pairs: list[tuple[str, str]]) -> SparkConf:
        """Set several properties."""
        for key, value in pairs:
            self.set(key, value)
        return self

    def get(self, key: str, defaultValue: str | None = None) -> str | None:
        """Return the value of a property, or a default."""
        return self._conf.get(key, defaultValue)

    def getAll(self) -> list[tuple[str, str]]:
        """Return all properties as pairs."""
        return list(self._conf.items())

    def contains(self, key: str) -> bool:
        """Return whether a property is set."""
        return key in self._conf

    def toDebugString(self) -> str:
        """Return the properties as text, one on each line."""
        return "\n".join(f"{k}={v}" for k, v in sorted(self._conf.items()))
