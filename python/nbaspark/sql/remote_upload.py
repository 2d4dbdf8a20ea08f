# SPDX-License-Identifier: Apache-2.0
"""Files and local data on their way to a server.

Data of a DataFrame go with each plan while they are small. Larger ones are cut into pieces that
are Arrow streams by themselves, and uploaded once under the SHA-256 of their bytes; the plan then
names these hashes, and a piece that the server has already is not sent again.
"""

from __future__ import annotations

import os
from hashlib import sha256
from zlib import crc32

from nbaspark import _core
from nbaspark.errors import AnalysisException, PySparkRuntimeError
from nbaspark.errors.raising import value_error
from nbaspark.sql.types_proto import from_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from nbaspark.sql.remote import GrpcChannel

_CHUNK = 1 << 20  # bytes of a file in one message
_ARCHIVES = (".zip", ".jar", ".tar.gz", ".tgz", ".tar")

# properties by which a server says how it wants local data
_LIMITS = {
    "spark.sql.session.localRelationCacheThreshold": 1 << 20,
    "spark.sql.session.localRelationChunkSizeRows": 10_000,
    "spark.sql.session.localRelationChunkSizeBytes": 16 << 20,
    "spark.sql.session.localRelationBatchOfChunksSizeBytes": 64 << 20,
    "spark.sql.session.localRelationSizeLimit": 3 << 30,
}


# ---- local data ---------------------------------------------------------------------------------


def local_relation(channel: GrpcChannel, table: Any) -> dict[str, Any]:
    """Return the relation that stands for a table, uploading it if it is large."""
    schema = from_tree(_core.message_unpack("spark.connect.DataType", table.schema)).json()
    threshold, n_rows, n_bytes, together, most = _limits(channel)
    if table.n_rows <= n_rows:
        data = table.ipc()
        if len(data) < threshold:
            return {"local_relation": {"data": data, "schema": schema}}
    hashes = []
    waiting: dict[str, bytes] = {}
    size = total = 0
    pieces = _pieces(table, n_rows, n_bytes)
    for piece in (schema.encode(), *()):
        hashes.append(_name(piece, waiting))
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise AnalysisException(
                errorClass="LOCAL_RELATION_SIZE_LIMIT_EXCEEDED",
                messageParameters={"actualSize": str(total), "sizeLimit": str(most)},
            )
        if waiting and size + len(piece) > together:
            _send(channel, waiting)
            waiting, size = {}, 0
        hashes.append(_name(piece, waiting))
        size += len(piece)
    _send(channel, waiting)
    body = {"schemaHash": hashes[0], "dataHashes": hashes[1:]}
    return {"chunked_cached_local_relation": body}


def _limits(channel: GrpcChannel) -> list[int]:
    pairs = [{"key": key, "value": str(value)} for key, value in _LIMITS.items()]
    answer = channel.config({"get_with_default": {"pairs": pairs}})
    found = {pair["key"]: pair.get("value") for pair in answer.get("pairs") or ()}
    return [_bytes_of(found.get(key), value) for key, value in _LIMITS.items()]


def _bytes_of(text: str | None, default: int) -> int:
    """Return the number of a property such as ``64MB`` or ``67108864b``."""
    text = (text or "").strip().lower().removesuffix("b")
    unit = {"k": 10, "m": 20, "g": 30, "t": 40}.get(text[-1:], 0)
    digits = text[:-1] if unit else text
    return max(1, int(digits) << unit) if digits.isascii() and digits.isdigit() else default


def _pieces(table: Any, n_rows: int, n_bytes: int) -> Iterator[bytes]:
    """Cut a table into Arrow streams of about so many rows and bytes at most."""
    at = 0
    step = n_rows
    while True:
        piece = table.ipc(None, at, at + step)
        if len(piece) > n_bytes and step > 1:
            step = max(1, step * n_bytes // (len(piece) + len(piece) // 8))
            continue
        yield piece
        at += step
        if at >= table.n_rows:
            return


def _name(piece: bytes, waiting: dict[str, bytes]) -> str:
    name = sha256(piece).hexdigest()
    waiting[name] = piece
    return name


def _send(channel: GrpcChannel, pieces: dict[str, bytes]) -> None:
    """Upload those pieces that the server does not have."""
    unknown = [name for name in pieces if name not in channel._uploaded]
    if unknown:
        names = [f"cache/{name}" for name in unknown]
        fields = {"names": names}
        answer = channel.call(
            "ArtifactStatus", fields, "ArtifactStatusesResponse", "ArtifactStatuses"
        )
        known = answer.get("statuses") or {}
        missing = [n for n in unknown if not (known.get(f"cache/{n}") or {}).get("exists")]
        if missing:
            upload(channel, [(f"cache/{name}", pieces[name]) for name in missing])
        channel._uploaded.update(unknown)


# ---- uploads ------------------------------------------------------------------------------------


def upload(channel: GrpcChannel, artifacts: list[tuple[str, Any]]) -> None:
    """Send artifacts: names, and bytes or the path of a file."""
    from nbaspark.sql.remote import SERVICE

    def call() -> Any:
        requests = (
            channel.request("AddArtifactsRequest", payload) for payload in _payloads(artifacts)
        )
        return channel._rpc.upload(SERVICE + "AddArtifacts", requests)

    answer = channel.retried(call, "AddArtifactsResponse")
    for summary in answer.get("artifacts") or ():
        if not summary.get("is_crc_successful"):
            raise PySparkRuntimeError(
                errorClass="UNSUPPORTED_OPERATION",
                messageParameters={
                    "operation": f"An upload that changes on its way ({summary.get('name')})"
                },
            )


def _payloads(artifacts: Iterable[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    """Pack small artifacts together, and cut large ones."""
    batch: list[dict[str, Any]] = []
    size = 0
    for name, content in artifacts:
        length = os.path.getsize(content) if isinstance(content, str) else len(content)
        if batch and size + length > _CHUNK:
            yield {"batch": {"artifacts": batch}}
            batch, size = [], 0
        chunks = _chunks(content)
        first = _checked(next(chunks, b""))
        if length <= _CHUNK:
            batch.append({"name": name, "data": first})
            size += length
            continue
        yield {
            "begin_chunk": {
                "name": name,
                "total_bytes": length,
                "num_chunks": -(-length // _CHUNK),
                "initial_chunk": first,
            }
        }
        for chunk in chunks:
            yield {"chunk": _checked(chunk)}
    if batch:
        yield {"batch": {"artifacts": batch}}


def _chunks(content: Any) -> Iterator[bytes]:
    if isinstance(content, str):
        with open(content, "rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    else:
        for at in range(0, len(content), _CHUNK):
            yield content[at : at + _CHUNK]


def _checked(chunk: bytes) -> dict[str, Any]:
    return {"data": chunk, "crc": crc32(chunk)}


# ---- files --------------------------------------------------------------------------------------


def add_artifacts(
    channel: GrpcChannel, paths: Iterable[str], pyfile: bool, archive: bool, file: bool
) -> None:
    """Upload files for the functions of a session; see `SparkSession.addArtifacts`."""
    upload(channel, [_artifact(path, pyfile, archive, file) for path in paths])


def _artifact(path: str, pyfile: bool, archive: bool, file: bool) -> tuple[str, str]:
    """Return the name by which the server knows a file, and its path."""
    scheme, separator, rest = path.partition(":")
    if separator and scheme.isalnum() and len(scheme) > 1:
        if scheme != "file":
            raise _unsupported(f"{scheme} scheme")
        path = "/" + rest.lstrip("/")
    path, _, alias = path.partition("#")
    path = os.path.abspath(path)
    name = os.path.basename(path)
    if pyfile and name.endswith((".py", ".zip", ".egg", ".jar")):
        return f"pyfiles/{name}", path
    if archive and name.endswith(_ARCHIVES):
        return f"archives/{name}#{alias}" if alias else f"archives/{name}", path
    if file:
        return f"files/{name}", path
    if name.endswith(".jar") and not pyfile and not archive:
        return f"jars/{name}", path
    raise _unsupported(f"{path} file format")


def copy_to_fs(channel: GrpcChannel, local_path: str, dest_path: str) -> None:
    """Upload a file to a path of the server's file system."""
    if not os.path.isabs(dest_path):
        raise value_error("VALUE_NOT_NON_EMPTY_STR", arg_name="dest_path", arg_value=dest_path)
    upload(channel, [(f"forward_to_fs{dest_path}", os.path.abspath(local_path))])


def _unsupported(operation: str) -> Exception:
    return PySparkRuntimeError(
        errorClass="UNSUPPORTED_OPERATION", messageParameters={"operation": operation}
    )
