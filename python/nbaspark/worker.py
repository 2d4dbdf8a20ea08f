# SPDX-License-Identifier: Apache-2.0
"""The process that runs users' functions, with a socket as file 3.

What goes over the socket is in csrc/expr/python_worker.c.
"""

from __future__ import annotations

import os
import resource
import sys
import traceback
from select import POLLHUP, POLLRDHUP, poll
from struct import Struct
from threading import Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SOCKET = 3
KNOWN = 32
HEADER = Struct("<IQ")
ID = Struct("<Q")
PANDAS = 200  # kinds from here on work on columns


def read(n: int) -> bytes:
    """Return n bytes; end the process when there are no more."""
    out = bytearray(n)
    view = memoryview(out)
    while view:
        got = os.readv(SOCKET, [view])
        if got == 0:
            os._exit(0)
        view = view[got:]
    return bytes(out)


def write(kind: str, data: bytes) -> None:
    for piece in (HEADER.pack(ord(kind), len(data)), data):
        view = memoryview(piece)
        while view:
            view = view[os.write(SOCKET, view) :]


def load(command: bytes) -> Any:
    """Return the function of a command: it and its type, pickled by this package or by PySpark."""
    from pickle import loads

    try:
        return loads(command)[0]
    except ModuleNotFoundError as e:
        if (e.name or "").split(".")[0] != "pyspark":
            raise
        find_for_pyspark()
        return loads(command)[0]


def find_for_pyspark() -> None:
    """Let the names of PySpark, and of the cloudpickle inside of it, mean what there is here."""
    import cloudpickle

    from nbaspark.submit import PySparkFinder

    PySparkFinder.install()
    sys.modules["pyspark.cloudpickle"] = cloudpickle
    sys.modules["pyspark.cloudpickle.cloudpickle"] = cloudpickle.cloudpickle


def function_of(data: bytes) -> Any:
    """Return what calls a function: its settings and its definition stand in the data."""
    from nbaspark import _core
    from nbaspark.sql.types_proto import from_tree

    (n_settings,) = ID.unpack_from(data)
    settings = data[ID.size : ID.size + n_settings].decode()
    udf = _core.message_unpack("spark.connect.PythonUDF", data[ID.size + n_settings :])
    call, returned = load(bytes(udf["command"])), from_tree(udf["output_type"])
    if udf["eval_type"] < PANDAS:
        return Function(call, returned)
    from nbaspark.worker_columns import ColumnFunction

    return ColumnFunction(call, returned, udf["eval_type"], settings)


class Function:
    """A function that is called row by row, with what its results are to become."""

    def __init__(self, call: Any, returned: Any):
        from nbaspark import _core
        from nbaspark.sql import types as t
        from nbaspark.sql.python_results import converter
        from nbaspark.sql.types_proto import to_tree

        self.call = call
        self.convert = converter(returned)
        schema = to_tree(t.StructType().add("_", returned))
        self.schema = _core.message_pack("spark.connect.DataType", schema)

    def results(self, stream: bytes, no_arguments: bool) -> bytes:
        from nbaspark import _core
        from nbaspark.sql.types import Row

        table = _core.Table.from_ipc(stream)
        call, convert = self.call, self.convert
        if no_arguments:
            out = [(convert(call()),) for _ in range(table.n_rows)]
        else:
            out = [(convert(call(*row)),) for row in table.rows(Row)]
        return _core.Table.from_rows(out, self.schema).ipc()


def traceback_of(error: BaseException) -> str:
    """Return the traceback from the user's function on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals.get("__name__", "").startswith(__name__):
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames or error.__traceback__)
    return "".join(lines).replace("\0", "\\0")


def main() -> None:
    functions: dict[int, Any] = {}
    while True:
        kind, n = HEADER.unpack(read(HEADER.size))
        data = read(n)
        (key,) = ID.unpack_from(data)
        if kind == ord("F"):
            functions[key] = data[ID.size :]
            if len(functions) > KNOWN:
                del functions[next(iter(functions))]
            continue
        try:
            function = functions[key]
            if isinstance(function, bytes):
                function = functions[key] = function_of(function)
            answer = function.results(data[ID.size :], kind == ord("N"))
        except BaseException as e:
            write("E", traceback_of(e).encode("utf-8", "replace"))
        else:
            write("R", answer)


def leave_with_parent() -> None:
    """End the process when the other side of the socket is gone, whatever the function does."""
    gone = poll()
    gone.register(SOCKET, POLLRDHUP | POLLHUP)
    gone.poll()
    os._exit(0)


def confine(n_bytes: int) -> None:
    """Let allocations beyond so many bytes fail."""
    resource.setrlimit(resource.RLIMIT_AS, (n_bytes, n_bytes))


def run() -> None:
    """Serve calls: ``python -c "import nbaspark.worker as w; w.run()" BYTES``."""
    if int(sys.argv[1]) > 0:
        confine(int(sys.argv[1]))
    sys.path.insert(0, os.getcwd())
    Thread(target=leave_with_parent, daemon=True).start()
    main()
