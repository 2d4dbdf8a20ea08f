# SPDX-License-Identifier: Apache-2.0
"""Window and WindowSpec: which rows a window function looks at."""

from __future__ import annotations

from nbaspark.errors.raising import value_error
from nbaspark.sql import expressions as ex
from nbaspark.sql.column import Column, references, sort_key, to_column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Window", "WindowSpec"]


def _columns(cols: tuple) -> list[Column]:
    if len(cols) == 1 and isinstance(cols[0], (list, tuple)):
        cols = tuple(cols[0])
    return [to_column(c, "cols") for c in cols]


class WindowSpec:
    """Partitioning, order and frame of a window.

    Made by the functions of `Window`; each method returns a new specification.
    """

    def __init__(
        self,
        partitionSpec: list[dict] | None = None,
        orderSpec: list[dict] | None = None,
        frame: tuple[bool, int, int] | None = None,
        refs: tuple = (),
    ):
        self._partition_spec = partitionSpec or []
        self._order_spec = orderSpec or []
        self._frame = frame
        self._refs = refs

    def partitionBy(self, *cols: Any) -> WindowSpec:
        """Return this window with rows grouped by these columns."""
        columns = _columns(cols)
        trees = [c._expr for c in columns]
        return WindowSpec(trees, self._order_spec, self._frame, self._refs + references(columns))

    def orderBy(self, *cols: Any) -> WindowSpec:
        """Return this window with rows ordered by these columns."""
        columns = [sort_key(c) for c in _columns(cols)]
        trees = [c._expr for c in columns]
        refs = self._refs + references(columns)
        return WindowSpec(self._partition_spec, trees, self._frame, refs)

    def rowsBetween(self, start: int, end: int) -> WindowSpec:
        """Return this window with a frame counted in rows from the current one."""
        return self._framed(True, start, end)

    def rangeBetween(self, start: int, end: int) -> WindowSpec:
        """Return this window with a frame of order values, from that of the current row."""
        return self._framed(False, start, end)

    def _framed(self, rows: bool, start: int, end: int) -> WindowSpec:
        if start <= Window._PRECEDING_THRESHOLD:
            start = Window.unboundedPreceding
        if end >= Window._FOLLOWING_THRESHOLD:
            end = Window.unboundedFollowing
        return WindowSpec(self._partition_spec, self._order_spec, (rows, start, end), self._refs)

    def _body(self) -> dict[str, Any]:
        """Return the window part of an Expression.Window message."""
        body: dict[str, Any] = {}
        if self._partition_spec:
            body["partition_spec"] = self._partition_spec
        if self._order_spec:
            body["order_spec"] = [o["sort_order"] for o in self._order_spec]
        if self._frame is not None:
            rows, start, end = self._frame
            body["frame_spec"] = {
                "frame_type": "FRAME_TYPE_ROW" if rows else "FRAME_TYPE_RANGE",
                "lower": _bound("start", start, ex.LONG_MIN, rows),
                "upper": _bound("end", end, ex.LONG_MAX, rows),
            }
        return body

    def __repr__(self) -> str:
        return ex.window_text(self._body())


def _bound(arg_name: str, value: int, unbounded: int, rows: bool) -> dict[str, Any]:
    if value == 0:
        return {"current_row": True}
    if value == unbounded:
        return {"unbounded": True}
    if not rows:
        return {"value": {"literal": {"long": value}}}
    if ex.INT_MIN <= value <= ex.INT_MAX:
        return {"value": {"literal": {"integer": value}}}
    raise value_error("VALUE_NOT_BETWEEN", arg_name=arg_name, min=ex.INT_MIN, max=ex.INT_MAX)


class Window:
    """Functions that begin a `WindowSpec`.

    Examples
    --------
    >>> from nbaspark.sql import Window
    >>> Window.partitionBy("team").orderBy("points").rowsBetween(-1, Window.currentRow)
    WindowSpec(PartitionBy(team), OrderBy(points ASC NULLS FIRST), WindowFrame(ROW_FRAME, -1, 0))
    """

    _PRECEDING_THRESHOLD = ex.LONG_MIN + 1
    _FOLLOWING_THRESHOLD = ex.LONG_MAX

    unboundedPreceding: int = ex.LONG_MIN
    unboundedFollowing: int = ex.LONG_MAX
    currentRow: int = 0

    @staticmethod
    def partitionBy(*cols: Any) -> WindowSpec:
        """Return a window with rows grouped by these columns."""
        return WindowSpec().partitionBy(*cols)

    @staticmethod
    def orderBy(*cols: Any) -> WindowSpec:
        """Return a window with rows ordered by these columns."""
        return WindowSpec().orderBy(*cols)

    @staticmethod
    def rowsBetween(start: int, end: int) -> WindowSpec:
        """Return a window whose frame is counted in rows from the current one."""
        return WindowSpec().rowsBetween(start, end)

    @staticmethod
    def rangeBetween(start: int, end: int) -> WindowSpec:
        """Return a window whose frame is a range of order values."""
        return WindowSpec().rangeBetween(start, end)
