# SPDX-License-Identifier: Apache-2.0
"""GrpcChannel: plans go to a Spark Connect server, of Apache Spark or of nbaspark.

An execution is *reattachable*: the server numbers its responses and keeps them until they are
released. When the stream of them breaks, the client asks for what came after the last response
it has seen, so that no row is lost and none comes twice; the query runs on meanwhile.

    ExecutePlan ─ response* ─ result_complete ─► ReleaseExecute(all)
         └ broken, or ended early ─► pause ─► ReattachExecute(last_response_id) ─ response* …

That is how Apache Spark has it. A server of nbaspark is also asked, by an option that means nothing to others, for short
answers in one message: response and end of the call come together, by the mark in its id we know that nothing follows, and what
was so got is named in the next ExecutePlan instead of being released by a call of its own.

Every answer names the session it is for; the server's own name of the session must not change,
because a server that was started anew has neither views nor temporary data of the old one.
"""

from __future__ import annotations

import threading
from os import urandom
from time import monotonic, sleep
from uuid import uuid4

from nbaspark import _core, _grpc
from nbaspark.errors import PySparkAssertionError, PySparkException, PySparkRuntimeError
from nbaspark.sql import remote_errors
from nbaspark.sql.client import Channel
from nbaspark.sql.remote_url import Target, check_session_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

SERVICE = "/spark.connect.SparkConnectService/"

# A server that never answered is given up sooner than one that went away in the middle of work.
_FIRST_CONTACT_SECONDS = 20
_RELEASE_MS = 60_000
# Responses that the server may drop are named after so many bytes, not one by one.
_RELEASE_EVERY_BYTES = 4 << 20
# The bytes of an Arrow batch in an ExecutePlanResponse: arrow_batch, data.
_ALIGN = (2, 2)
# Asks for short answers in one message, which are marked so (csrc/connect/service_internal.h).
_WHOLE_OPTION = "nbaspark/whole"
_WHOLE_MARK = ".whole"
_GONE = ("INVALID_HANDLE.OPERATION_NOT_FOUND", "INVALID_HANDLE.SESSION_NOT_FOUND")


class GrpcChannel(Channel):
    """A session on a server.

    Parameters
    ----------
    target : Target
        The server.
    conf : dict
        Properties from which the token and the certificates come.
    session_id : str, optional
        The session; a new one by default.
    """

    is_remote = True

    def __init__(self, target: Target, conf: dict[str, str], session_id: str | None = None):
        self.target = target
        self.conf = conf
        given = session_id or target.get("session_id")
        self.session_id = check_session_id(given) if given else str(uuid4())
        self.server_session_id: str | None = None
        self.tags = _Tags()
        self.progress_handlers: list[Callable[..., None]] = []
        self._uploaded: set[str] = set()
        self._got: list[str] = []  # operations that the server may forget
        self._opened = monotonic()
        self._answered = False
        self._closed = False
        self._rpc = _connect(target, conf)
        self._base: dict[str, Any] = {
            "session_id": self.session_id,
            "user_context": {"user_id": _user(target)},
            "client_type": _user_agent(target),
        }

    # ---- calls ----------------------------------------------------------------------------------

    def request(self, name: str, fields: dict[str, Any]) -> bytes:
        """Return a packed request of this session."""
        return _core.message_pack(f"spark.connect.{name}", {**self._base, **fields})

    def _observed(self, fields: dict[str, Any]) -> dict[str, Any]:
        if self.server_session_id is not None:
            fields["client_observed_server_side_session_id"] = self.server_session_id
        return fields

    def call(
        self, method: str, fields: dict[str, Any], answer: str, kind: str | None = None
    ) -> dict[str, Any]:
        """Make a call of one message each way, again and again while that is of use."""
        request = self.request((kind or method) + "Request", self._observed(fields))
        return self.retried(lambda: self._rpc.unary(SERVICE + method, request), answer)

    def retried(self, call: Callable[[], Any], answer: str) -> dict[str, Any]:
        """Return the answer of a call that may be repeated."""
        tries = 0
        while True:
            try:
                message = call()
                break
            except _grpc.RpcError as e:
                tries += 1
                self._pause(e, tries)
            except ValueError as e:
                raise self._no_session(e) from None
        return self._checked(_core.message_unpack(f"spark.connect.{answer}", message))

    def _pause(self, e: _grpc.RpcError, tries: int) -> None:
        """Wait as long as the failure asks for; raise it when another try is of no use."""
        code, message, details = e.args
        pause = _grpc.retry_pause(tries, code, details, message)
        late = monotonic() + pause / 1000 > self._opened + _FIRST_CONTACT_SECONDS
        if pause < 0 or self._closed or (late and not self._answered):
            raise self._error(e) from None
        sleep(pause / 1000)

    def _checked(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return an answer that is for this session."""
        self._answered = True
        if answer.get("session_id") != self.session_id:
            raise PySparkAssertionError(
                "Received incorrect session identifier for request: "
                f"{answer.get('session_id')} != {self.session_id}"
            )
        server = answer.get("server_side_session_id")
        if server and server != self.server_session_id:
            if self.server_session_id is not None:
                raise PySparkAssertionError(
                    "Received incorrect server side session identifier for request. Please create "
                    f"a new Spark Session to reconnect. ({server} != {self.server_session_id})"
                )
            self.server_session_id = server
        return answer

    def _error(self, e: _grpc.RpcError) -> PySparkException:
        return remote_errors.convert(*e.args, self.target.endpoint, self._error_details)

    def _error_details(self, error_id: str) -> dict[str, Any] | None:
        request = self.request("FetchErrorDetailsRequest", self._observed({"error_id": error_id}))
        try:
            answer = self._rpc.unary(SERVICE + "FetchErrorDetails", request, _RELEASE_MS)
        except _grpc.RpcError:
            return None  # what came with the error has to do
        return _core.message_unpack("spark.connect.FetchErrorDetailsResponse", answer)

    def _no_session(self, e: Exception) -> Exception:
        """Return the error for a call on a channel that was closed, else what was raised."""
        if not self._closed:
            return e
        return PySparkRuntimeError(errorClass="NO_ACTIVE_SESSION", messageParameters={})

    # ---- what a session needs -------------------------------------------------------------------

    def analyze(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.call("AnalyzePlan", dict(request), "AnalyzePlanResponse")

    def config(self, operation: dict[str, Any]) -> dict[str, Any]:
        return self.call("Config", {"operation": operation}, "ConfigResponse")

    def execute(self, plan: dict[str, Any]) -> RemoteResult:
        return RemoteResult(self, plan)

    def batches(self, plan: dict[str, Any]) -> Iterator[Any]:
        return RemoteResult(self, plan, keep=False).tables()

    def arrow_table(self, plan: dict[str, Any]) -> Any:
        """Run a plan and return its rows as a pyarrow.Table, which holds what came in as it is."""
        import pyarrow

        batches: list[Any] = []
        schema = pyarrow.schema([])
        for data in RemoteResult(self, plan, keep=False).arrow():
            with pyarrow.ipc.open_stream(data) as stream:
                schema = stream.schema
                batches += stream
        table = pyarrow.Table.from_batches(batches, schema)
        for i, field in enumerate(schema):
            if getattr(field.type, "tz", None):
                utc = field.with_type(pyarrow.timestamp("us", "UTC"))
                table = table.set_column(i, utc, table.column(i).cast(utc.type))
        return table

    def add_table(self, table: Any) -> dict[str, Any]:
        from nbaspark.sql.remote_upload import local_relation

        return local_relation(self, table)

    # ---- executions -----------------------------------------------------------------------------

    def responses(self, plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Run a plan and yield the server's responses; Arrow data are views of what came in."""
        operation = _operation_id()
        fields = self._observed(
            {
                "plan": plan,
                "operation_id": operation,
                "tags": list(self.tags),
                "request_options": [
                    {"reattach_options": {"reattachable": True}},
                    {"result_chunking_options": {"allow_arrow_batch_chunking": True}},
                    {"extension": {"type_url": _WHOLE_OPTION, "value": self._take_got()}},
                ],
            }
        )
        execute = self.request("ExecutePlanRequest", fields)
        last: str | None = None
        tries = unreleased = 0
        whole = False
        stream = None
        try:
            stream = self._rpc.stream(SERVICE + "ExecutePlan", execute, 0, _ALIGN)
            while True:
                try:
                    for message in stream:
                        tries = 0
                        response = self._checked(
                            _core.message_unpack("spark.connect.ExecutePlanResponse", message, True)
                        )
                        last = response.get("response_id") or last
                        whole = last is not None and last.endswith(_WHOLE_MARK)
                        yield response
                        if "result_complete" in response:
                            return
                        unreleased += len(message)
                        if unreleased >= _RELEASE_EVERY_BYTES and last:
                            unreleased = 0
                            self._release(operation, {"release_until": {"response_id": last}})
                    if whole:
                        return
                except _grpc.RpcError as e:
                    if whole:
                        return  # all is here
                    tries += 1
                    lost = next((name for name in _GONE if name in e.args[1]), None)
                    if lost is not None and last is not None:
                        raise PySparkRuntimeError(
                            errorClass="RESPONSE_ALREADY_RECEIVED",
                            messageParameters={"error_type": lost},
                        ) from None
                    if lost is not None and tries > 1:
                        # The plan never got there.
                        stream = self._rpc.stream(SERVICE + "ExecutePlan", execute, 0, _ALIGN)
                        continue
                    self._pause(e, tries)
                stream = self._reattach(operation, last)
        except _grpc.RpcError as e:
            raise self._error(e) from None  # no call could be begun
        except ValueError as e:
            raise self._no_session(e) from None
        except KeyboardInterrupt:
            self._interrupt_quietly(operation)
            raise
        finally:
            if stream is not None:
                stream.close()
            if whole:
                self._got.append(operation)
            else:
                self._release(operation, {"release_all": {}})

    def _take_got(self) -> bytes:
        """Return the names of operations that are to be released, which are then forgotten."""
        names = []
        try:
            while len(names) < 64:
                names.append(self._got.pop())
        except IndexError:
            pass  # another thread may have been faster
        return ",".join(names).encode()

    def _reattach(self, operation: str, last: str | None) -> _grpc.Stream:
        fields: dict[str, Any] = {"operation_id": operation}
        if last is not None:
            fields["last_response_id"] = last
        request = self.request("ReattachExecuteRequest", self._observed(fields))
        return self._rpc.stream(SERVICE + "ReattachExecute", request, 0, _ALIGN)

    def _release(self, operation: str, what: dict[str, Any]) -> None:
        """Let the server drop responses. If that gets lost, it drops them by itself, later."""
        request = self.request("ReleaseExecuteRequest", {"operation_id": operation, **what})
        try:
            self._rpc.post(SERVICE + "ReleaseExecute", request, _RELEASE_MS)
        except ValueError:
            pass  # the channel has been closed

    # ---- interrupts -----------------------------------------------------------------------------

    def interrupt(self, kind: str = "ALL", **which: str) -> list[str]:
        """Stop what runs: ALL, by ``operation_tag`` or by ``operation_id``."""
        fields = {"interrupt_type": f"INTERRUPT_TYPE_{kind}", **which}
        return self.call("Interrupt", fields, "InterruptResponse").get("interrupted_ids") or []

    def _interrupt_quietly(self, operation: str) -> None:
        fields = {"interrupt_type": "INTERRUPT_TYPE_OPERATION_ID", "operation_id": operation}
        try:
            request = self.request("InterruptRequest", self._observed(fields))
            self._rpc.unary(SERVICE + "Interrupt", request, 5_000)
        except (_grpc.RpcError, ValueError):
            pass  # the caller is being interrupted and shall hear of nothing else

    # ---- sessions -------------------------------------------------------------------------------

    def new_session(self) -> GrpcChannel:
        """Return a channel to a session of its own."""
        parameters = {k: v for k, v in self.target.parameters.items() if k != "session_id"}
        return GrpcChannel(Target(self.target.host, self.target.port, parameters), self.conf)

    def clone_session(self, session_id: str | None = None) -> GrpcChannel:
        """Return a channel to a copy of this session, made by the server."""
        fields = {"new_session_id": check_session_id(session_id)} if session_id else {}
        answer = self.call("CloneSession", fields, "CloneSessionResponse")
        return GrpcChannel(self.target, self.conf, answer["new_session_id"])

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._answered:
            request = self.request("ReleaseSessionRequest", {})
            try:
                self._rpc.unary(SERVICE + "ReleaseSession", request, 5_000)
            except (_grpc.RpcError, ValueError):
                pass  # it ends by itself after a while
        self._rpc.close()


class RemoteResult:
    """What an execution on a server gave; it has the interface of ``_core.Result``."""

    def __init__(self, channel: GrpcChannel, plan: dict[str, Any], keep: bool = True):
        self._channel = channel
        self._plan = plan
        self._schema: bytes | None = None
        self._tree: dict[str, Any] | None = None  # of a schema that leaves something open
        self._n_rows = 0
        self._whole: Any = None
        self.commands: list[dict[str, Any]] = []
        self.metrics: dict[str, Any] = {}
        self.observed: list[dict[str, Any]] = []
        if keep:
            tables = list(self.tables())
            if len(tables) == 1:
                self._whole = tables[0]
            else:
                self._whole = _core.Table.join(tables, self.schema if tables else self._no_rows())

    def _no_rows(self) -> bytes:
        if self._schema is None:
            self._schema = _core.message_pack("spark.connect.DataType", {"struct": {}})
        return self._schema

    def tables(self) -> Iterator[Any]:
        """Run the plan and yield its rows, a table at a time."""
        for data in self._arrow():
            table = _core.Table.from_ipc(data)
            self._n_rows += table.n_rows
            if self._schema is None:
                self._schema = table.schema
            elif self._tree is not None:
                held = _core.message_unpack("spark.connect.DataType", table.schema)
                _say_storage(self._tree, held)
                self._schema = _core.message_pack("spark.connect.DataType", self._tree)
                self._tree = None
            yield _core.Table.join([table], self._schema)

    def _arrow(self) -> Iterator[Any]:
        """Yield the Arrow streams of the result, and note what else comes."""
        rows = 0
        chunks: list[Any] = []
        progress = self._channel.progress_handlers and _Progress(self._channel.progress_handlers)
        try:
            for response in self._channel.responses(self._plan):
                batch = response.get("arrow_batch")
                if response.get("schema"):
                    self._schema = _core.message_pack("spark.connect.DataType", response["schema"])
                    if b"udt" in self._schema:
                        self._tree = response["schema"]
                if batch is not None:
                    start = batch.get("start_offset")
                    if start is not None and start != rows:
                        raise _out_of_order(rows, start)
                    if batch.get("num_chunks_in_batch", 1) > 1:
                        if batch.get("chunk_index", 0) != len(chunks):
                            raise _out_of_order(len(chunks), batch.get("chunk_index", 0))
                        chunks.append(batch["data"])
                        if len(chunks) < batch["num_chunks_in_batch"]:
                            continue
                        batch["data"] = b"".join(chunks)
                        chunks = []
                    rows += batch.get("row_count", 0)
                    yield batch["data"]
                elif "execution_progress" in response:
                    if progress:
                        progress.note(response)
                elif "metrics" in response:
                    self.metrics = response["metrics"]
                elif "result_complete" not in response and "schema" not in response:
                    self.commands.append(response)
                self.observed += response.get("observed_metrics") or ()
            if self.observed:
                from nbaspark.sql.observation import deliver

                deliver(self._plan, self.observed)
        finally:
            if progress:
                progress.end()

    def arrow(self) -> Iterator[Any]:
        """Run the plan and yield Arrow IPC streams as they come, for readers of Arrow."""
        return self._arrow()

    @property
    def schema(self) -> bytes:
        return self._schema if self._schema is not None else self._no_rows()

    @property
    def n_rows(self) -> int:
        return self._n_rows

    def table(self) -> Any:
        return self._whole

    def rows(self, row_factory: Any = None, udt: Any = None) -> list[Any]:
        return self._whole.rows(row_factory, udt)

    def column_numpy(self, i: int, row_factory: Any = None, udt: Any = None) -> Any:
        return self._whole.column_numpy(i, row_factory, udt)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        pair = {"key": "spark.sql.session.timeZone", "value": "UTC"}
        answer = self._channel.config({"get_with_default": {"pairs": [pair]}})
        return self._whole.__arrow_c_stream__(requested_schema, answer["pairs"][0]["value"])


def _say_storage(tree: dict[str, Any], held: dict[str, Any]) -> None:
    """Complete user-defined types, of which Spark sends the name alone, by how they are stored."""
    ((kind, body),) = tree.items()
    stored = held.get(kind) or {}
    if kind == "udt":
        body.setdefault("sql_type", held)
    elif kind == "struct":
        for field, part in zip(body.get("fields") or (), stored.get("fields") or ()):
            _say_storage(field["data_type"], part["data_type"])
    elif kind in ("array", "map"):
        for part in ("element_type", "key_type", "value_type"):
            if part in body and part in stored:
                _say_storage(body[part], stored[part])


def _out_of_order(expected: int, got: int) -> Exception:
    return PySparkAssertionError(
        f"The rows of the result do not follow each other: expected row {expected}, got row {got}."
    )


class StageInfo:
    """How far a stage of a query is."""

    def __init__(self, fields: dict[str, Any]):
        self.stage_id: int = fields.get("stage_id", 0)
        self.num_tasks: int = fields.get("num_tasks", 0)
        self.num_completed_tasks: int = fields.get("num_completed_tasks", 0)
        self.num_bytes_read: int = fields.get("input_bytes_read", 0)
        self.done: bool = fields.get("done", False)

    def __repr__(self) -> str:
        fields = ", ".join(f"{k}={v}" for k, v in vars(self).items())
        return f"StageInfo({fields})"


class _Progress:
    """Tells handlers how far an execution is."""

    def __init__(self, handlers: list[Callable[..., None]]):
        self._handlers = list(handlers)
        self._operation: str | None = None

    def note(self, response: dict[str, Any]) -> None:
        progress = response["execution_progress"]
        self._operation = response.get("operation_id")
        stages = [StageInfo(stage) for stage in progress.get("stages") or ()]
        self._tell(stages, progress.get("num_inflight_tasks", 0), False)

    def end(self) -> None:
        self._tell(None, 0, True)

    def _tell(self, stages: list[StageInfo] | None, inflight: int, done: bool) -> None:
        for handler in self._handlers:
            handler(stages=stages, inflight_tasks=inflight, operation_id=self._operation, done=done)


class _Tags(threading.local):
    """The tags of the operations that a thread begins."""

    def __init__(self) -> None:
        self._tags: dict[str, None] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._tags)

    def add(self, tag: str) -> None:
        self._tags[tag] = None

    def remove(self, tag: str) -> None:
        self._tags.pop(tag, None)

    def clear(self) -> None:
        self._tags.clear()


def _operation_id() -> str:
    """Return a random UUID, as ``str(uuid4())`` in a third of the time."""
    h = urandom(16).hex()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


# ---- who we are ---------------------------------------------------------------------------------


def _connect(target: Target, conf: dict[str, str]) -> _grpc.Channel:
    import os

    token = (
        target.get("token")
        or conf.get("spark.connect.authenticate.token")
        or os.environ.get("SPARK_CONNECT_AUTHENTICATE_TOKEN")
        or ""
    )
    asked = (
        target.get("use_ssl") or conf.get("spark.ssl.rpc.enabled") or conf.get("spark.ssl.enabled")
    )
    tls = (asked or "").lower() == "true"
    if token and not tls and target.host not in ("localhost", "127.0.0.1", "[::1]"):
        tls = asked is None  # a token is no secret any more once it went over a wire as it is
    pem = {}
    if tls:
        pem = {
            "ca": _file(conf, "trustStore"),
            "cert": _file(conf, "certChain"),
            "key": _file(conf, "privateKey"),
        }
    try:
        return _grpc.Channel(
            target.endpoint,
            tls=tls,
            token=token,
            headers=target.headers,
            user_agent=_user_agent(target),
            **pem,
        )
    except _grpc.RpcError as e:
        raise remote_errors.convert(*e.args, target.endpoint, lambda _: None) from None


def _file(conf: dict[str, str], name: str) -> str:
    """Return the text of a PEM file that the configuration names, or an empty one."""
    path = conf.get(f"spark.ssl.rpc.{name}") or conf.get(f"spark.ssl.{name}")
    if not path:
        return ""
    with open(path, encoding="ascii") as file:
        return file.read()


def _user(target: Target) -> str:
    import os

    user = target.get("user_id") or os.environ.get("SPARK_USER") or os.environ.get("USER")
    return user or ""


def _user_agent(target: Target) -> str:
    import os
    import sys

    from nbaspark import __version__

    own = target.get("user_agent") or os.environ.get("SPARK_CONNECT_USER_AGENT") or "nbaspark"
    version = "%d.%d.%d" % sys.version_info[:3]
    return f"{own} nbaspark/{__version__} os/{sys.platform} python/{version}"
