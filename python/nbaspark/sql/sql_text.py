# SPDX-License-Identifier: Apache-2.0
"""Fills ``{name}`` in SQL text: DataFrames become views, columns and values become SQL."""

from __future__ import annotations

from string import Formatter

from nbaspark.sql.column import Column
from nbaspark.sql.plan import relation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def fill_in(query: str, arguments: dict[str, Any]) -> tuple[str, tuple]:
    """Return the query with arguments filled in, and the plans of the views that it names."""
    filler = _Filler()
    text = filler.vformat(query, (), arguments)
    return text, tuple(filler.views)


class _Filler(Formatter):
    def __init__(self) -> None:
        self.views: list[dict[str, Any]] = []
        self.names: dict[int, str] = {}

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        value, first = super().get_field(field_name, args, kwargs)
        return self.to_sql(value, field_name), first

    def to_sql(self, value: Any, field_name: str) -> Any:
        from nbaspark.sql.dataframe import DataFrame

        if isinstance(value, Column):
            for member in ("unresolved_attribute", "expression_string"):
                if member in value._expr:
                    return repr(value)[len("Column<'") : -len("'>")]
            from nbaspark.errors.raising import value_error

            raise value_error(
                "VALUE_NOT_PLAIN_COLUMN_REFERENCE", val=str(value), field_name=field_name
            )
        if isinstance(value, DataFrame):
            name = self.names.get(id(value))
            if name is None:
                name = f"_nbaspark_view_{len(self.names)}"
                self.names[id(value)] = name
                view = {"input": value._plan, "alias": name}
                self.views.append(relation("subquery_alias", view))
            return name
        if isinstance(value, str):
            return "'%s'" % value.replace("\\", "\\\\").replace("'", "\\'")
        return value
