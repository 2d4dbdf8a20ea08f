# SPDX-License-Identifier: Apache-2.0
"""A relay of TCP connections that tests can cut."""

import socket
import threading


class Proxy:
    """Relays connections to a server; `cut` breaks all of them, also by itself after some bytes.

    Parameters
    ----------
    host, port
        The server.
    cut_after : int, optional
        Break all connections when so many bytes have come from the server (since this was set), then after
        twice as many, and so on: a message must get through some time.
    once : bool
        Break them by itself one time only.
    """

    def __init__(self, host, port, cut_after=None, once=False):
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs = []
        self._once = once
        self.cut_after = cut_after
        self.n_cuts = 0
        self.closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def cut_after(self):
        """Bytes from the server until the next cut; None: no more."""
        return self._cut_after

    @cut_after.setter
    def cut_after(self, n_bytes):
        self._bytes = 0
        self._cut_after = n_bytes

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, server))
            for source, sink, counted in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._relay, args=(source, sink, counted), daemon=True
                ).start()

    def _relay(self, source, sink, counted):
        try:
            while data := source.recv(1 << 16):
                if counted and self._cut_after is not None:
                    self._bytes += len(data)
                    if self._bytes >= self._cut_after:
                        self.cut_after = None if self._once else 2 * self._cut_after
                        self.cut()
                        return
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Break all connections."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
            self.n_cuts += 1
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def close(self):
        """Break all connections and take no more."""
        self.closed = True
        self._listener.close()
        self.cut_after = None
        self.cut()
