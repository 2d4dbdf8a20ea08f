# SPDX-License-Identifier: Apache-2.0
"""Channels: where plans go.

A channel takes the messages of Spark Connect and gives its answers. `EmbeddedChannel` hands them
to the engine in this process; one that speaks gRPC has the same methods, so that nothing above
this file knows where a plan runs.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Channel:
    """What a session needs of an engine.

    `execute` takes a Plan tree and returns a result with the interface of ``_core.Result``;
    `analyze` and `config` take and return trees of the requests and responses of that name.
    """

    is_remote = False
    session_id: str
    tags: Any  # of the operations that this thread begins

    def execute(self, plan: dict[str, Any]) -> Any:
        raise NotImplementedError

    def batches(self, plan: dict[str, Any]) -> Iterator[Any]:
        """Run a plan and yield its rows, a ``_core.Table`` at a time."""
        yield self.execute(plan).table()

    def analyze(self, request: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def config(self, operation: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def add_table(self, table: Any) -> dict[str, Any]:
        """Hand over local data; return the relation, less its ``common``, that stands for it."""
        raise NotImplementedError

    def kept(self, key: str) -> str:
        """Return the name of rows that the engine keeps, for plans; they may go with it."""
        return key

    def interrupt(self, kind: str = "ALL", **which: str) -> list[str]:
        """Stop operations and return their names."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class EmbeddedChannel(Channel):
    """The engine in this process."""

    def __init__(self, conf: dict[str, str]):
        from nbaspark import _core

        python = os.environ.get("PYSPARK_PYTHON") or sys.executable or "python3"
        self._core = _core
        self._session = _core.Session({"spark.pyspark.python": python, **conf})
        self._next_table = 0

    def execute(self, plan: dict[str, Any]) -> Any:
        result = self._session.execute(self._core.message_pack("spark.connect.Plan", plan))
        if result.observed:
            from nbaspark.sql.observation import deliver

            name = "spark.connect.ExecutePlanResponse.ObservedMetrics"
            deliver(plan, [self._core.message_unpack(name, m) for m in result.observed])
        return result

    def analyze(self, request: dict[str, Any]) -> dict[str, Any]:
        packed = self._core.message_pack("spark.connect.AnalyzePlanRequest", request)
        answer = self._session.analyze(packed)
        return self._core.message_unpack("spark.connect.AnalyzePlanResponse", answer)

    def config(self, operation: dict[str, Any]) -> dict[str, Any]:
        packed = self._core.message_pack("spark.connect.ConfigRequest", {"operation": operation})
        answer = self._session.config(packed)
        return self._core.message_unpack("spark.connect.ConfigResponse", answer)

    def add_table(self, table: Any) -> dict[str, Any]:
        self._next_table += 1
        key = self.kept(f"local-{self._next_table}")
        self._session.add_local_relation(str(key), table)
        return {"chunked_cached_local_relation": {"dataHashes": [key]}}

    def kept(self, key: str) -> str:
        name = _TableKey(key)
        name.session = self._session
        return name

    def interrupt(self, kind: str = "ALL", **which: str) -> list[str]:
        if kind != "ALL":
            from nbaspark.errors.raising import not_implemented

            raise not_implemented("interrupting some of the operations in one process")
        self._session.interrupt()
        return []

    def close(self) -> None:
        self._session.close()


class _TableKey(str):
    """The name of local data in a plan; the data goes when no plan names it any more."""

    session: Any = None

    def __del__(self) -> None:
        if self.session is not None:
            self.session.remove_local_relation(str(self))


def open_channel(conf: dict[str, str]) -> Channel:
    """Return a channel to the engine that the configuration names."""
    target = conf.get("spark.remote") or conf.get("spark.master") or "local[*]"
    if target.startswith("local"):
        return EmbeddedChannel(conf)
    if not target.startswith(("sc:", "spark:")):
        from nbaspark.errors.raising import not_implemented

        raise not_implemented(f"master {target}")
    from nbaspark.sql.remote import GrpcChannel
    from nbaspark.sql.remote_url import parse

    return GrpcChannel(parse(target), conf)
