"""The two database systems: connecting for reading only, and asking. Drivers are imported as a source is opened."""

from __future__ import annotations

import contextlib
import ssl
from typing import Any, Protocol

import msgspec

from segue_sql.config import Config
from segue_sql.questions import Statement

__all__ = ["Answer", "System", "Unreached", "open_system"]


class Answer(msgspec.Struct, frozen=True):
    """The names of columns, each with the driver's number of its type, and the rows."""

    names: list[str]
    types: list[int]
    rows: list[tuple[Any, ...]]


class Unreached(Exception):
    """The database cannot be reached, or refuses the query."""


class System(Protocol):
    """A connection, made as it is needed first."""

    def quote(self, name: str) -> str:
        """A column's name as it stands in a statement."""
        ...

    def ask(self, statement: Statement) -> Answer:
        """The rows of a statement, in a transaction of their own that can only read. Raises Unreached."""
        ...

    def present(self, *, zoned: bool) -> Any:
        """The database's own present, as a time with a zone or without. Raises Unreached."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def open_system(config: Config) -> System:
    """The system that the settings name; nothing is connected yet."""
    return PostgreSql(config) if config.system == "postgresql" else MariaDb(config)


class PostgreSql:
    """PostgreSQL, by psycopg 3."""

    def __init__(self, config: Config) -> None:
        import psycopg
        from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader

        self._config = config
        self._psycopg = psycopg
        self._loaders = [
            (name, _lenient(loader, psycopg.DataError))
            for name, loader in (
                ("date", DateLoader),
                ("timestamp", TimestampLoader),
                ("timestamptz", TimestamptzLoader),
            )
        ]
        self._connection: Any = None

    def quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def _connect(self) -> Any:
        config = self._config
        milliseconds = int(config.timeout * 1000)
        connection = self._psycopg.connect(
            host=config.socket or config.host,
            port=config.port or 5432,
            dbname=config.database,
            user=config.user or None,
            password=config.password or None,
            sslmode={"verify": "verify-full", "require": "require", "none": "disable"}[config.tls]
            if not config.socket
            else "disable",
            sslrootcert=(config.ca or "system") if config.tls == "verify" and not config.socket else None,
            connect_timeout=max(2, int(min(config.timeout, 30))),
            options=f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds} "
            "-c default_transaction_read_only=on",
            application_name="segue",
            autocommit=False,
            keepalives_idle=30,
            client_encoding="utf8",
        )
        connection.read_only = True
        for name, loader in self._loaders:
            connection.adapters.register_loader(name, loader)
        return connection

    def ask(self, statement: Statement) -> Answer:
        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._connection.transaction(), self._connection.cursor() as cursor:
                cursor.execute(*statement)
                columns = cursor.description or ()
                return Answer([one.name for one in columns], [one.type_code for one in columns], cursor.fetchall())
        except (self._psycopg.Error, UnicodeError, OSError) as error:
            self.close()
            raise Unreached(_told(error)) from None

    def present(self, *, zoned: bool) -> Any:
        return self.ask(("select current_timestamp" if zoned else "select localtimestamp", {})).rows[0][0]

    def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with contextlib.suppress(self._psycopg.Error, OSError):
                connection.close()


class MariaDb:
    """MariaDB, by PyMySQL."""

    def __init__(self, config: Config) -> None:
        import pymysql

        self._config = config
        self._pymysql = pymysql
        self._connection: Any = None

    def quote(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def _connect(self) -> Any:
        config = self._config
        connection = self._pymysql.connect(
            host=config.host,
            port=config.port or 3306,
            unix_socket=config.socket or None,
            database=config.database,
            user=config.user or None,
            password=config.password,
            charset="utf8mb4",
            connect_timeout=max(1, int(min(config.timeout, 30))),
            read_timeout=int(config.timeout) + 5,
            write_timeout=int(config.timeout) + 5,
            ssl=_ssl_of(config),
            ssl_disabled=config.tls == "none" or bool(config.socket),
            local_infile=False,
            autocommit=False,
            program_name="segue",
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute("set session transaction read only")
                cursor.execute("set session max_statement_time = %s", (config.timeout,))
                cursor.execute("set session time_zone = '+00:00'")
                cursor.execute("set session lock_wait_timeout = %s", (max(1, int(config.timeout)),))
        except BaseException:
            connection.close()
            raise
        return connection

    def ask(self, statement: Statement) -> Answer:
        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._connection.cursor() as cursor:
                cursor.execute(*statement)
                columns = cursor.description or ()
                found = Answer([one[0] for one in columns], [one[1] for one in columns], list(cursor.fetchall()))
            self._connection.rollback()  # the next page sees what was committed since
            return found
        except (self._pymysql.MySQLError, UnicodeError, OSError, ValueError) as error:
            self.close()  # an open transaction would keep others from changing the table
            raise Unreached(_told(error)) from None

    def present(self, *, zoned: bool) -> Any:
        return self.ask(("select now(6)", {})).rows[0][0]

    def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with contextlib.suppress(self._pymysql.MySQLError, OSError):
                connection.close()


def _ssl_of(config: Config) -> ssl.SSLContext | None:
    if config.tls == "none" or config.socket:
        return None
    context = ssl.create_default_context(cafile=config.ca or None)
    if config.tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _lenient(loader: type[Any], error: type[Exception]) -> type[Any]:
    """A loader of dates that gives None for those that Python cannot have (infinity, the year 20000)."""

    class Lenient(loader):  # type: ignore[misc]  # a class that psycopg gives at run time
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except error:
                return None

    return Lenient


def _told(error: BaseException) -> str:
    """What a driver says, on one line and without the statement."""
    text = str(error.args[-1] if error.args else "") or type(error).__name__
    return " ".join(text.split())[:300]
