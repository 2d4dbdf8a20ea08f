# SPDX-License-Identifier: Apache-2.0
"""Calls over gRPC: bytes in, bytes out. Loaded at the first remote session."""

from collections.abc import Buffer, Iterable, Iterator

class RpcError(Exception):
    """A call failed; args are the code of gRPC, the message, and a packed google.rpc.Status."""

class Message:
    """A message that came in: a read-only buffer."""

    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

class Stream(Iterator[Message]):
    """The answers of a call."""

    def __next__(self) -> Message: ...
    def close(self) -> None: ...

class Channel:
    """A connection to a server."""

    def __init__(
        self,
        target: str,
        *,
        tls: bool = False,
        ca: str = "",
        cert: str = "",
        key: str = "",
        server_name: str = "",
        token: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        user_agent: str = "",
        keepalive_ms: int = 0,
        max_message_bytes: int = 0,
    ) -> None: ...
    def unary(self, method: str, request: Buffer, timeout_ms: int = 0, /) -> Message: ...
    def post(self, method: str, request: Buffer, timeout_ms: int, /) -> None: ...
    def stream(
        self, method: str, request: Buffer, timeout_ms: int = 0, align: tuple[int, ...] = (), /
    ) -> Stream: ...
    def upload(
        self, method: str, requests: Iterable[Buffer], timeout_ms: int = 0, /
    ) -> Message: ...
    def close(self) -> None: ...

def retry_pause(tries: int, code: int, details: bytes, message: str, /) -> int: ...
