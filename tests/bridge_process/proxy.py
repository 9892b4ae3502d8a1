"""A wire to PostgreSQL that a test can cut: the client sees a reset, the server goes on with what it was told."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType


class Wire:
    """Listens on a loopback port and forwards to another; `cut` breaks the clients' side of every connection."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._dead: list[socket.socket] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Wire:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.cut()
        for server in self._dead:
            server.close()

    def cut(self) -> int:
        """Break them all; the servers' sides stay open, so no server notices. How many were cut."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for client, server in pairs:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            self._dead.append(server)
        return len(pairs)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            with self._lock:
                self._pairs.append((client, server))
            threading.Thread(target=self._forward, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._forward, args=(server, client, False), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        if from_client:
            source.close()
            with self._lock:
                alive = any(pair[0] is source for pair in self._pairs)
                self._pairs = [pair for pair in self._pairs if pair[0] is not source]
            if alive:  # the client went by itself: so does its server
                with suppress(OSError):
                    sink.shutdown(socket.SHUT_RDWR)
                sink.close()
