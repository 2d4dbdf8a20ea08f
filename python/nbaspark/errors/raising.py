# SPDX-License-Identifier: Apache-2.0
"""Short spellings of the exceptions that argument checks raise most."""

from __future__ import annotations

from nbaspark.errors.exceptions import (
    PySparkNotImplementedError,
    PySparkTypeError,
    PySparkValueError,
)


def type_error(condition: str, /, **parameters: object) -> PySparkTypeError:
    """Return a `PySparkTypeError` of this condition."""
    return PySparkTypeError(
        errorClass=condition, messageParameters={k: str(v) for k, v in parameters.items()}
    )


def value_error(condition: str, /, **parameters: object) -> PySparkValueError:
    """Return a `PySparkValueError` of this condition."""
    return PySparkValueError(
        errorClass=condition, messageParameters={k: str(v) for k, v in parameters.items()}
    )


def not_expected(arg_name: str, value: object, expected: str) -> PySparkTypeError:
    """Return the error for an argument of a wrong type; `expected` names the right ones."""
    return type_error(
        "NOT_EXPECTED_TYPE",
        arg_name=arg_name,
        expected_type=expected,
        arg_type=type(value).__name__,
    )


def check(arg_name: str, value: object, types: type | tuple[type, ...], expected: str) -> None:
    """Raise `not_expected` unless `value` is an instance of `types`."""
    if not isinstance(value, types):
        raise not_expected(arg_name, value, expected)


def not_implemented(feature: str) -> PySparkNotImplementedError:
    """Return the error for a part of the API that nbaspark does not have."""
    return PySparkNotImplementedError(
        errorClass="NOT_IMPLEMENTED", messageParameters={"feature": feature}
    )
