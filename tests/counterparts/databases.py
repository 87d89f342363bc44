"""Real database servers in folders of their own: PostgreSQL and MariaDB, as an unprivileged user, on loopback."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.counterparts.process import Program, free_port, require

USER = "segue"
PASSWORD = "a 'quoted\" password%s"
NAME = "crm"
_SERVANT = "nobody"


class Database(Protocol):
    """A running server with an empty database."""

    system: str
    port: int
    folder: Path
    socket: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def connect(self) -> Any: ...


def _as_servant(command: Sequence[str]) -> list[str]:
    """The command as a user without rights: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return list(command)
    return [require("setpriv", "util-linux"), f"--reuid={_SERVANT}", f"--regid={_group()}", "--clear-groups", *command]


def _group() -> int:
    return pwd.getpwnam(_SERVANT).pw_gid


def _folder(prefix: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    return folder


def _hand_over(folder: Path) -> None:
    """Make all of a folder the servant's."""
    if os.getuid() != 0:
        return
    owner = pwd.getpwnam(_SERVANT)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=100)
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-800:]}{done.stderr[-800:]}"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and localhost that vouches for itself, and its key."""
    certificate, key = folder / "server.crt", folder / "server.key"
    openssl = require("openssl", "openssl")
    _run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)),
        ],
        folder,
    )
    key.chmod(0o600)
    return certificate, key


class PostgreSql:
    """PostgreSQL."""

    system = "postgresql"

    def __init__(self) -> None:
        self._server = _newest("/usr/lib/postgresql/*/bin/postgres", "postgres", "postgresql")
        self.folder = _folder("segue-postgresql-")
        self.socket = str(self.folder)
        self.port = free_port()
        self._data = self.folder / "data"
        self.certificate, _ = make_certificate(self.folder)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        _hand_over(self.folder)
        initdb = str(Path(self._server).with_name("initdb"))
        _run(
            _as_servant(
                [
                    *(initdb, "-D", str(self._data), "-U", USER, "--auth=scram-sha-256", f"--pwfile={password}"),
                    *("--no-sync", "-E", "UTF8", "--locale=C.UTF-8"),
                ]
            ),
            self.folder,
        )
        self._program: Program | None = None
        self.start()
        with contextlib.closing(self._connect("postgres")) as connection:
            connection.execute(f"create database {NAME}")

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": str(self.certificate),
            "ssl_key_file": str(self.folder / "server.key"),
            "shared_buffers": "16MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [self._server, "-D", str(self._data), "-p", str(self.port), "-k", self.socket, *options]
        log = self.folder / "server.log"
        log.unlink(missing_ok=True)
        self._program = Program(_as_servant(command), log)
        self._program.wait_for_text("ready to accept connections")

    def stop(self) -> None:
        if self._program is not None:
            os.kill(self._program.pid, 2)  # "fast": it throws its clients out
            self._program.stop(patience=20)
            self._program = None

    def _connect(self, name: str) -> Any:
        import psycopg

        return psycopg.connect(
            host=self.socket, port=self.port, user=USER, password=PASSWORD, dbname=name, autocommit=True
        )

    def connect(self) -> Any:
        """A connection of one who writes, each statement a transaction unless one is begun."""
        return self._connect(NAME)


class MariaDb:
    """MariaDB."""

    system = "mariadb"

    def __init__(self) -> None:
        self._server = require("mariadbd", "mariadb-server")
        self.folder = _folder("segue-mariadb-")
        self.socket = str(self.folder / "s.sock")
        self.port = free_port()
        self._data = self.folder / "data"
        self._data.mkdir()
        self.certificate, _ = make_certificate(self.folder)
        _hand_over(self.folder)
        _run(
            _as_servant(
                [
                    *(require("mariadb-install-db", "mariadb-server"), "--no-defaults", f"--datadir={self._data}"),
                    *("--auth-root-authentication-method=normal", "--skip-test-db", f"--tmpdir={self.folder}"),
                ]
            ),
            self.folder,
        )
        self._program: Program | None = None
        self.start()
        import pymysql

        with contextlib.closing(pymysql.connect(unix_socket=self.socket, user="root")) as root, root.cursor() as cursor:
            cursor.execute(f"create database {NAME} character set utf8mb4")
            cursor.execute("create user %s@'%%' identified by %s", (USER, PASSWORD))
            cursor.execute(f"grant all on {NAME}.* to %s@'%%'", (USER,))

    def start(self) -> None:
        log = self.folder / "server.log"
        log.unlink(missing_ok=True)
        command = [
            *(self._server, "--no-defaults", f"--datadir={self._data}", f"--socket={self.socket}"),
            *(f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={self.folder / 'pid'}"),
            *("--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M"),
            *(f"--ssl-cert={self.certificate}", f"--ssl-key={self.folder / 'server.key'}", f"--tmpdir={self.folder}"),
            *("--sql-mode=", "--skip-name-resolve", "--default-time-zone=+02:00"),
        ]
        self._program = Program(_as_servant(command), log)
        self._program.wait_for_text("ready for connections")

    def stop(self) -> None:
        if self._program is not None:
            self._program.stop(patience=20)
            self._program = None

    def connect(self) -> Any:
        import pymysql

        return pymysql.connect(
            unix_socket=self.socket, user=USER, password=PASSWORD, database=NAME, autocommit=True, charset="utf8mb4"
        )


def _newest(pattern: str, program: str, package: str) -> str:
    """A program that Debian keeps out of PATH, by version."""
    found = sorted(Path("/").glob(pattern.lstrip("/")), key=lambda path: [int(p) for p in path.parts if p.isdecimal()])
    return str(found[-1]) if found else require(program, package)


@contextlib.contextmanager
def running(system: str) -> Iterator[PostgreSql | MariaDb]:
    """A server while a test needs it. Raises CounterpartMissing."""
    server: PostgreSql | MariaDb = PostgreSql() if system == "postgresql" else MariaDb()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)
