# SPDX-License-Identifier: Apache-2.0
"""Parameters of estimators and transformers."""

from __future__ import annotations

import sys
from array import array
from copy import copy
from functools import wraps

from nbaspark.ml.linalg import DenseVector, Matrix, Vector
from nbaspark.ml.util import Identifiable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Param", "Params", "TypeConverters"]


def keyword_only(function: Any) -> Any:
    """Let a method take keywords only, and find those that were given in ``_input_kwargs``."""

    @wraps(function)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            raise TypeError(f"Method {function.__name__} forces keyword arguments.")
        self._input_kwargs = kwargs
        return function(self, **kwargs)

    return wrapper


class Param:
    """A parameter: its name, its documentation, and how values are converted to its type."""

    def __init__(
        self,
        parent: Any,
        name: str,
        doc: str,
        typeConverter: Callable[[Any], Any] | None = None,
    ):
        if not isinstance(parent, Identifiable):
            raise TypeError(f"Parent must be an Identifiable but got type {type(parent)}.")
        self.parent = parent.uid
        self.name = str(name)
        self.doc = str(doc)
        self.typeConverter = TypeConverters.identity if typeConverter is None else typeConverter

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    def _copy_new_parent(self, parent: Any) -> Param:
        if self.parent == "undefined":
            param = copy(self)
            param.parent = parent.uid
            return param
        raise ValueError(f"Cannot copy from non-dummy parent {parent}.")

    def __str__(self) -> str:
        return f"{self.parent}__{self.name}"

    def __repr__(self) -> str:
        return f"Param(parent={self.parent!r}, name={self.name!r}, doc={self.doc!r})"

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Param):
            return self.parent == other.parent and self.name == other.name
        return False


def _numpy_types(*names: str) -> tuple:
    """Return types of NumPy; none of a value's types can be one while NumPy is not imported."""
    numpy = sys.modules.get("numpy")
    return tuple(getattr(numpy, name) for name in names) if numpy is not None else ()


class TypeConverters:
    """Converters of parameter values."""

    @staticmethod
    def _is_numeric(value: Any) -> bool:
        return type(value) in (int, float, *_numpy_types("float64", "int64"))

    @staticmethod
    def _is_integer(value: Any) -> bool:
        return TypeConverters._is_numeric(value) and float(value).is_integer()

    @staticmethod
    def _can_convert_to_list(value: Any) -> bool:
        kinds = (list, tuple, range, array, *_numpy_types("ndarray"))
        return type(value) in kinds or isinstance(value, Vector)

    @staticmethod
    def _can_convert_to_string(value: Any) -> bool:
        return isinstance(value, str) or type(value) in _numpy_types("bytes_", "str_")

    @staticmethod
    def identity(value: Any) -> Any:
        """Return the value as it is."""
        return value

    @staticmethod
    def toList(value: Any) -> list:
        """Convert to a list."""
        if isinstance(value, list):
            return value
        if isinstance(value, (tuple, range, array, *_numpy_types("ndarray"))):
            return list(value)
        if isinstance(value, Vector):
            return list(value.toArray())
        raise TypeError(f"Could not convert {value} to list")

    @staticmethod
    def toListFloat(value: Any) -> list[float]:
        """Convert to a list of floats."""
        if TypeConverters._can_convert_to_list(value):
            value = TypeConverters.toList(value)
            if all(map(TypeConverters._is_numeric, value)):
                return [float(v) for v in value]
        raise TypeError(f"Could not convert {value} to list of floats")

    @staticmethod
    def toListListFloat(value: Any) -> list[list[float]]:
        """Convert to a list of lists of floats."""
        if TypeConverters._can_convert_to_list(value):
            return [TypeConverters.toListFloat(v) for v in TypeConverters.toList(value)]
        raise TypeError(f"Could not convert {value} to list of list of floats")

    @staticmethod
    def toListInt(value: Any) -> list[int]:
        """Convert to a list of integers."""
        if TypeConverters._can_convert_to_list(value):
            value = TypeConverters.toList(value)
            if all(map(TypeConverters._is_integer, value)):
                return [int(v) for v in value]
        raise TypeError(f"Could not convert {value} to list of ints")

    @staticmethod
    def toListString(value: Any) -> list[str]:
        """Convert to a list of strings."""
        if TypeConverters._can_convert_to_list(value):
            value = TypeConverters.toList(value)
            if all(map(TypeConverters._can_convert_to_string, value)):
                return [TypeConverters.toString(v) for v in value]
        raise TypeError(f"Could not convert {value} to list of strings")

    @staticmethod
    def toVector(value: Any) -> Vector:
        """Convert to a vector."""
        if isinstance(value, Vector):
            return value
        if TypeConverters._can_convert_to_list(value):
            value = TypeConverters.toList(value)
            if all(map(TypeConverters._is_numeric, value)):
                return DenseVector(value)
        raise TypeError(f"Could not convert {value} to vector")

    @staticmethod
    def toMatrix(value: Any) -> Matrix:
        """Convert to a matrix."""
        if isinstance(value, Matrix):
            return value
        raise TypeError(f"Could not convert {value} to matrix")

    @staticmethod
    def toFloat(value: Any) -> float:
        """Convert to a float."""
        if TypeConverters._is_numeric(value):
            return float(value)
        raise TypeError(f"Could not convert {value} to float")

    @staticmethod
    def toInt(value: Any) -> int:
        """Convert to an integer."""
        if TypeConverters._is_integer(value):
            return int(value)
        raise TypeError(f"Could not convert {value} to int")

    @staticmethod
    def toString(value: Any) -> str:
        """Convert to a string."""
        if TypeConverters._can_convert_to_string(value):
            return value if isinstance(value, str) else str(value)
        raise TypeError(f"Could not convert {type(value)} to string type")

    @staticmethod
    def toBoolean(value: Any) -> bool:
        """Convert to a boolean."""
        if isinstance(value, bool):
            return value
        raise TypeError(f"Boolean Param requires value of type bool. Found {type(value)}.")


class Params(Identifiable):
    """Something with parameters: those set by the user, and defaults."""

    def __init__(self) -> None:
        super().__init__()
        self._paramMap: dict[Param, Any] = {}
        self._defaultParamMap: dict[Param, Any] = {}
        self._params: list[Param] | None = None
        self._copy_params()

    def _copy_params(self) -> None:
        """Give this object its own copies of the parameters that its classes declare."""
        for name, param in _declared(type(self)):
            setattr(self, name, param._copy_new_parent(self))

    @property
    def params(self) -> list[Param]:
        """All parameters, by name."""
        if self._params is None:
            found = set(vars(self)) | {name for name, _ in _declared(type(self))}
            values = [vars(self).get(name) for name in sorted(found) if name != "_params"]
            self._params = [value for value in values if isinstance(value, Param)]
        return self._params

    def explainParam(self, param: str | Param) -> str:
        """Return the documentation of a parameter with its default and its value."""
        param = self._resolveParam(param)
        values = []
        if param in self._defaultParamMap:
            values.append(f"default: {self._defaultParamMap[param]}")
        if param in self._paramMap:
            values.append(f"current: {self._paramMap[param]}")
        return f"{param.name}: {param.doc} ({', '.join(values) or 'undefined'})"

    def explainParams(self) -> str:
        """Return the documentation of all parameters.

        Examples
        --------
        >>> from nbaspark.ml.feature import StandardScaler
        >>> print(StandardScaler(inputCol="a", withMean=True).explainParams().splitlines()[0])
        inputCol: input column name. (current: a)
        """
        return "\n".join([self.explainParam(param) for param in self.params])

    def getParam(self, paramName: str) -> Param:
        """Return the parameter of this name."""
        param = getattr(self, paramName)
        if isinstance(param, Param):
            return param
        raise ValueError(f"Cannot find param with name {paramName}.")

    def isSet(self, param: str | Param) -> bool:
        """Return whether the user has set the parameter."""
        return self._resolveParam(param) in self._paramMap

    def hasDefault(self, param: str | Param) -> bool:
        """Return whether the parameter has a default."""
        return self._resolveParam(param) in self._defaultParamMap

    def isDefined(self, param: str | Param) -> bool:
        """Return whether the parameter has a value, set or by default."""
        return self.isSet(param) or self.hasDefault(param)

    def hasParam(self, paramName: str) -> bool:
        """Return whether there is a parameter of this name."""
        if isinstance(paramName, str):
            return isinstance(getattr(self, paramName, None), Param)
        raise TypeError("hasParam(): paramName must be a string")

    def getOrDefault(self, param: str | Param) -> Any:
        """Return the value of a parameter, or its default."""
        param = self._resolveParam(param)
        if param in self._paramMap:
            return self._paramMap[param]
        return self._defaultParamMap[param]

    def extractParamMap(self, extra: dict[Param, Any] | None = None) -> dict[Param, Any]:
        """Return defaults, overridden by set values, overridden by `extra`."""
        return {**self._defaultParamMap, **self._paramMap, **(extra or {})}

    def copy(self, extra: dict[Param, Any] | None = None) -> Any:
        """Return a copy with the same uid, and with further values."""
        that = copy(self)
        that._paramMap = {}
        that._defaultParamMap = {}
        return self._copyValues(that, {} if extra is None else extra)

    def set(self, param: Param, value: Any) -> None:
        """Set a parameter."""
        self._shouldOwn(param)
        try:
            value = param.typeConverter(value)
        except ValueError as e:
            raise ValueError(f'Invalid param value given for param "{param.name}". {e}') from None
        self._paramMap[param] = value

    def clear(self, param: Param) -> None:
        """Forget the value that the user has set."""
        if self.isSet(param):
            del self._paramMap[param]

    def _shouldOwn(self, param: Param) -> None:
        if not (self.uid == param.parent and self.hasParam(param.name)):
            raise ValueError(f"Param {param!r} does not belong to {self!r}.")

    def _resolveParam(self, param: Any) -> Param:
        if isinstance(param, Param):
            self._shouldOwn(param)
            return param
        if isinstance(param, str):
            return self.getParam(param)
        raise TypeError(f"Cannot resolve {param!r} as a param.")

    def _testOwnParam(self, param_parent: str, param_name: str) -> bool:
        return self.uid == param_parent and self.hasParam(param_name)

    @staticmethod
    def _dummy() -> Params:
        """Return the parent of parameters that are declared in a class."""
        return _DUMMY

    def _set(self, **kwargs: Any) -> Any:
        for name, value in kwargs.items():
            param = getattr(self, name)
            if value is not None:
                try:
                    value = param.typeConverter(value)
                except TypeError as e:
                    raise TypeError(f'Invalid param value given for param "{name}". {e}') from None
            self._paramMap[param] = value
        return self

    def _setDefault(self, **kwargs: Any) -> Any:
        for name, value in kwargs.items():
            param = getattr(self, name)
            if value is not None:
                try:
                    value = param.typeConverter(value)
                except TypeError as e:
                    raise TypeError(
                        f'Invalid default param value given for param "{name}". {e}'
                    ) from None
            self._defaultParamMap[param] = value
        return self

    def _copyValues(self, to: Any, extra: dict[Param, Any] | None = None) -> Any:
        """Copy values and defaults of the parameters that `to` has as well."""
        values = self._paramMap.copy()
        if isinstance(extra, dict):
            for param, value in extra.items():
                if not isinstance(param, Param):
                    raise TypeError(f"Expecting a valid instance of Param, but received: {param}")
                values[param] = value
        elif extra is not None:
            raise TypeError(f"Expecting a dict, but received an object of type {type(extra)}.")
        for param in self.params:
            if param in self._defaultParamMap and to.hasParam(param.name):
                to._defaultParamMap[to.getParam(param.name)] = self._defaultParamMap[param]
            if param in values and to.hasParam(param.name):
                to._set(**{param.name: values[param]})
        return to

    def _resetUid(self, newUid: Any) -> Any:
        """Give this object another uid; its parameters then belong to that."""
        values = {param.name: value for param, value in self._paramMap.items()}
        defaults = {param.name: value for param, value in self._defaultParamMap.items()}
        self.uid = str(newUid)
        for name in [p.name for p in self.params]:
            param = copy(getattr(self, name))
            param.parent = self.uid
            setattr(self, name, param)
        self._params = None
        self._paramMap = {getattr(self, name): value for name, value in values.items()}
        self._defaultParamMap = {getattr(self, name): value for name, value in defaults.items()}
        return self


def _declared(cls: type) -> list[tuple[str, Param]]:
    """Return the parameters that a class and its bases declare, by name."""
    found = {}
    for base in reversed(cls.__mro__):
        found.update({n: v for n, v in vars(base).items() if isinstance(v, Param)})
    return sorted(found.items())


_DUMMY = Identifiable.__new__(Params)
_DUMMY.uid = "undefined"
