# SPDX-License-Identifier: Apache-2.0
"""RuntimeConfig: the configuration of a session, as ``spark.conf``."""

from __future__ import annotations

from nbaspark.errors.raising import check, value_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql.client import Channel

__all__ = ["RuntimeConfig"]

_NO_VALUE: Any = object()


def to_text(value: Any) -> str | None:
    """Return an option's value as text: lower case for booleans, None for None."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


class RuntimeConfig:
    """Reads and changes the configuration of a running session.

    Examples
    --------
    >>> spark.conf.set("spark.sql.shuffle.partitions", 8)
    >>> spark.conf.get("spark.sql.shuffle.partitions")
    '8'
    >>> spark.conf.get("my.own.key", "nothing")
    'nothing'
    """

    def __init__(self, channel: Channel):
        self._channel = channel

    def _run(self, operation: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self._channel.config(operation)
        for message in answer.get("warnings") or ():
            import warnings

            warnings.warn(message, stacklevel=3)
        return answer.get("pairs") or []

    def set(self, key: str, value: str | int | bool) -> None:
        """Set a property.

        Parameters
        ----------
        key : str
            Its name.
        value : str, int or bool
            Its value.
        """
        self._run({"set": {"pairs": [{"key": key, "value": to_text(value)}]}})

    def _set_all(self, configs: dict[str, Any], silent: bool) -> None:
        pairs = [{"key": k, "value": to_text(v)} for k, v in configs.items()]
        self._run({"set": {"pairs": pairs, "silent": silent}})

    def get(self, key: str, default: str | None = _NO_VALUE) -> str | None:
        """Return the value of a property.

        Parameters
        ----------
        key : str
            Its name.
        default : str, optional
            What to return when it is not set; without it, that is an error.
        """
        check("key", key, str, "str")
        if default is _NO_VALUE:
            pairs = self._run({"get": {"keys": [key]}})
        else:
            if default is not None:
                check("default", default, str, "str")
            pairs = self._run({"get_with_default": {"pairs": [{"key": key, "value": default}]}})
        return pairs[0].get("value")

    @property
    def getAll(self) -> dict[str, str]:
        """Return all properties that are set."""
        return {p["key"]: p.get("value", "") for p in self._run({"get_all": {}})}

    def unset(self, key: str) -> None:
        """Give a property its default again."""
        self._run({"unset": {"keys": [key]}})

    def isModifiable(self, key: str) -> bool:
        """Return whether a property can be changed while the session runs."""
        value = self._run({"is_modifiable": {"keys": [key]}})[0].get("value")
        if value not in ("true", "false"):
            allowed = "'true' or 'false'"
            raise value_error("VALUE_NOT_ALLOWED", arg_name="result", allowed_values=allowed)
        return value == "true"
