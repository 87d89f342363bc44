"""A relay between a mail client and a real server, that can hold back what the server says to a finished mail."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

_END_OF_MAIL = b"\r\n.\r\n"


class SmtpRelay:
    """Listens on ``port``. Once the server has a whole mail to a recipient that begins with ``hold``, its answer waits
    until `let_go`."""

    def __init__(self, server: int, hold: str) -> None:
        self._server = server
        self._hold = f"RCPT TO:<{hold}".encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._may = threading.Event()
        self._sockets: list[socket.socket] = []
        self.held = threading.Event()
        """Set when a mail has gone to the server whose answer is held back."""
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def let_go(self) -> None:
        self._may.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go()
        for one in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server))
            self._sockets += [client, server]
            waiting = threading.Event()
            threading.Thread(target=self._forward, args=(client, server, waiting), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client, waiting), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket, waiting: threading.Event) -> None:
        said = b""
        with contextlib.suppress(OSError):
            while piece := client.recv(65536):
                said += piece
                if said.endswith(_END_OF_MAIL):
                    if self._hold.lower() in said.lower():
                        waiting.set()  # before the server hears of it: its answer must not slip through
                        self.held.set()
                    said = b""
                server.sendall(piece)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket, waiting: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while piece := server.recv(65536):
                if waiting.is_set():
                    self._may.wait(60)
                    waiting.clear()
                client.sendall(piece)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
