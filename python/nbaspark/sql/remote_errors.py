# SPDX-License-Identifier: Apache-2.0
"""What failed calls say, as the exceptions of PySpark."""

from __future__ import annotations

from nbaspark.errors import PySparkException, SparkException
from nbaspark.errors.exceptions import _from_engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Classes of Java -> kinds of `_from_engine`. A server lists an exception's own class first.
_KINDS = {
    "org.apache.spark.sql.catalyst.parser.ParseException": "PARSE",
    "org.apache.spark.sql.AnalysisException": "ANALYSIS",
    "org.apache.spark.sql.streaming.StreamingQueryException": "StreamingQueryException",
    "org.apache.spark.sql.execution.QueryExecutionException": "QUERY_EXECUTION",
    "java.lang.NumberFormatException": "NUMBER_FORMAT",
    "java.lang.IllegalArgumentException": "ILLEGAL_ARGUMENT",
    "java.lang.ArithmeticException": "ARITHMETIC",
    "java.lang.UnsupportedOperationException": "UNSUPPORTED_OPERATION",
    "java.lang.ArrayIndexOutOfBoundsException": "ARRAY_INDEX_OUT_OF_BOUNDS",
    "java.time.DateTimeException": "DATETIME",
    "org.apache.spark.SparkRuntimeException": "RUNTIME",
    "org.apache.spark.SparkUpgradeException": "UPGRADE",
    "org.apache.spark.sql.connect.common.InvalidPlanInput": "INVALID_PLAN_INPUT",
    "org.apache.spark.api.python.PythonException": "PYTHON",
    "org.apache.spark.SparkNoSuchElementException": "NO_SUCH_ELEMENT",
    "org.apache.spark.SparkException": "SPARK",
    "nbaspark.PySparkNotImplementedError": "PySparkNotImplementedError",
}

_CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS "
    "PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED "
    "INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED"
).split()


def convert(
    code: int,
    message: str,
    details: bytes,
    endpoint: str,
    fetch: Callable[[str], dict[str, Any] | None],
) -> PySparkException:
    """Return the exception for a call that failed.

    Parameters
    ----------
    code, message, details
        As `_grpc.RpcError` has them.
    endpoint : str
        Whom we called; named where the connection is at fault.
    fetch : callable
        Gives the FetchErrorDetailsResponse of an error's id, or None.
    """
    info = _error_info(details)
    if info is None:
        if code in (1, 4, 14, 16) or not message.startswith("["):
            name = _CODES[code] if 0 <= code < len(_CODES) else str(code)
            message = f"{endpoint}: {name}: {message}" if message else f"{endpoint}: {name}"
            return SparkException(message)
        condition = message[1:].partition("]")[0]
        return _from_engine("SPARK", condition, _state_in(message), message, {})
    return _of_info(info, fetch)


def _state_in(message: str) -> str | None:
    """Return the SQLSTATE that a message ends with."""
    return message.rpartition("SQLSTATE: ")[2][:5] if "SQLSTATE: " in message else None


def _error_info(details: bytes) -> dict[str, Any] | None:
    """Return the ErrorInfo of a google.rpc.Status, with the Status's message; None without one."""
    from nbaspark import _core

    try:
        status = _core.message_unpack("google.rpc.Status", details) if details else {}
        for item in status.get("details") or ():
            url = item.get("type_url", b"")
            url = url if isinstance(url, str) else url.decode("utf-8", "replace")
            if url.endswith("/google.rpc.ErrorInfo"):
                info = _core.message_unpack("google.rpc.ErrorInfo", item.get("value", b""))
                info["message"] = status.get("message", "")
                return info
    except ValueError:
        pass  # damaged details are as good as none
    return None


def _of_info(
    info: dict[str, Any], fetch: Callable[[str], dict[str, Any] | None]
) -> PySparkException:
    facts = {k: _text(v) for k, v in (info.get("metadata") or {}).items()}
    classes = _json(facts.get("classes"), [])
    message = info["message"]
    condition = facts.get("errorClass")
    state = facts.get("sqlState")
    parameters = _json(facts.get("messageParameters"), {})
    contexts: list[dict[str, Any]] = []
    whole = fetch(facts["errorId"]) if facts.get("errorId") else None
    root = _root_of(whole)
    if root is not None:
        message = root.get("message", "")
        thrown = root.get("spark_throwable") or {}
        condition = condition or thrown.get("error_class")
        state = state or thrown.get("sql_state")
        parameters = dict(thrown.get("message_parameters") or {})
        contexts = thrown.get("query_contexts") or []
    return of_classes(classes, condition, state, message, parameters, contexts)


def of_classes(
    classes: list[str],
    condition: str | None,
    state: str | None,
    message: str,
    parameters: dict[str, str],
    contexts: list[dict[str, Any]],
) -> PySparkException:
    """Return the exception for the first of these classes of Java that there is one for."""
    kind = next((_KINDS[name] for name in classes if name in _KINDS), "UnknownException")
    if kind == "PYTHON":
        message = (
            "\n  An exception was thrown from the Python worker. Please see the stack trace "
            f"below.\n{message}"
        )
    elif kind == "UnknownException" and classes:
        message = f"({classes[0]}) {message}"
    return _from_engine(kind, condition, state, message, parameters, contexts)


def of_error(errors: list[dict[str, Any]], root: int) -> PySparkException:
    """Return the exception for one of the errors that came inside of an answer."""
    error = _root_of({"errors": errors, "root_error_idx": root}) or {}
    thrown = error.get("spark_throwable") or {}
    return of_classes(
        error.get("error_type_hierarchy") or [],
        thrown.get("error_class"),
        thrown.get("sql_state"),
        error.get("message", ""),
        dict(thrown.get("message_parameters") or {}),
        thrown.get("query_contexts") or [],
    )


def _root_of(whole: dict[str, Any] | None) -> dict[str, Any] | None:
    errors = (whole or {}).get("errors") or []
    root = (whole or {}).get("root_error_idx")
    return errors[root] if root is not None and 0 <= root < len(errors) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")


def _json(text: str | None, default: Any) -> Any:
    from json import loads

    try:
        value = loads(text) if text else default
    except ValueError:
        return default
    return value if isinstance(value, type(default)) else default
