"""What the daemon logs, and how it looks: JSON lines for machines, readable lines in a terminal.

Laws of this file:

- one entry is one line (in a terminal a traceback may follow, each of its lines marked); whatever a customer, a
  provider or a plugin put into a value, it can neither begin a line of its own nor move the cursor;
- a value under a name that means a secret is not written, nor is a password inside a URL;
- logging never raises because of what is logged;
- customers are hashes in it: see `segue.cli.discretion`.

Libraries that use the standard library's logging (uvicorn, APScheduler, aiosmtplib) come out in the same form.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from segue.cli.discretion import Discretion, tell_places

Style = Literal["auto", "json", "console"]
LEVELS: Mapping[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}

_HIDDEN = "***"
_SECRET = re.compile(
    r"(?:^|[_\-.])(?:password|passwd|secret|token|api_?key|write_?key|authorization|cookie|credentials?)$", re.I
)
_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+@")
_IN_QUERY = re.compile(r"([?&](?:password|passwd|secret|token|api_?key|write_?key|signature|sig)=)[^&\s\"']+", re.I)
# C0 and C1 controls, DEL, line and paragraph separators, and the marks that turn the direction of text around.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BESIDE_C0 = re.compile(r"[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_MANY_LINES = frozenset({"exception", "stack"})
_LONGEST = 10_000
_DEEPEST = 6
# As in sd-daemon(3): journald reads and removes such a prefix, and `journalctl -p warning` then works.
_PRIORITY: Mapping[str, str] = {"debug": "<7>", "info": "<6>", "warning": "<4>", "error": "<3>", "critical": "<2>"}


_WARN_ONLY = ("apscheduler", "uvicorn")
"""Libraries that tell of every job and every start at info: the daemon says what matters of that itself."""


def configure(
    *,
    level: str = "info",
    style: Style = "auto",
    stream: TextIO | None = None,
    environment: Mapping[str, str] | None = None,
    discretion: Discretion | None = Discretion(),  # noqa: B008  # it holds nothing
) -> None:
    """Send everything that is logged at ``level`` or above to ``stream`` (standard error when None). ``discretion``
    makes hashes of customers; None shows everything in the clear.

    ``auto`` means readable lines where the stream is a terminal, JSON lines everywhere else: under systemd, in a pipe,
    in a file. INVOCATION_ID is no sign of a service, since terminals opened by a desktop inherit it. Colours obey
    ``NO_COLOR``. Raises ValueError for a level that does not exist.
    """
    known = os.environ if environment is None else environment
    target = sys.stderr if stream is None else stream
    if level.lower() not in LEVELS:
        raise ValueError(f"there is no log level {level!r}; there are {', '.join(LEVELS)}")
    least = LEVELS[level.lower()]
    readable = style == "console" or (style == "auto" and target.isatty())
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if readable else "iso", utc=not readable),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info if discretion is None else tell_places,
        hide_secrets,
        *([] if discretion is None else [discretion]),
    ]
    render: list[Processor]
    if readable:
        render = [escape_controls, _console(colours=target.isatty() and not known.get("NO_COLOR"))]
    else:
        render = [_JsonLines(to_journal=_is_journal(target, known.get("JOURNAL_STREAM", "")))]
    structlog.configure(
        processors=[*chain, *render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *chain, *render],
        )
    )
    # A library's chatter at debug drowns our own, and some of them write whole conversations: never below info.
    logging.basicConfig(handlers=[handler], level=max(least, logging.INFO), force=True)
    for library in _WARN_ONLY:
        logging.getLogger(library).setLevel(max(least, logging.WARNING))


def hide_secrets(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """Reduce an entry to plain values that can be written, with secrets left out, and long texts cut short."""
    return {_text(str(key)): _HIDDEN if _is_secret(key) else _plain(value, 0) for key, value in entry.items()}


def escape_controls(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """Write control characters as ``\\n``, ``\\x1b`` …: what is shown in a terminal must not steer it.

    Tracebacks keep their lines, each marked, so that none can be taken for an entry.
    """
    shown: EventDict = {}
    for key, value in entry.items():
        if key in _MANY_LINES:
            shown[key] = "\n".join(f"    │ {_escape(line)}" for line in str(value).split("\n"))
        else:
            shown[_escape(key)] = _escape(value) if isinstance(value, str) else value
    return shown


class _JsonLines:
    """One JSON object a line: time, level and event first."""

    def __init__(self, *, to_journal: bool) -> None:
        self._to_journal = to_journal

    def __call__(self, _logger: WrappedLogger, _method: str, entry: MutableMapping[str, Any]) -> str:
        level = str(entry.pop("level", "info"))
        first = {"timestamp": entry.pop("timestamp", ""), "level": level, "event": entry.pop("event", "")}
        line = msgspec.json.encode({**first, **entry}).decode()
        # JSON itself escapes only what is below a space; these can only stand inside strings, where \u is always right.
        line = _BESIDE_C0.sub(lambda match: f"\\u{ord(match.group()):04x}", line)
        return _PRIORITY.get(level, "") + line if self._to_journal else line


def _console(*, colours: bool) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=colours,
        sort_keys=False,
        pad_event_to=34,
        exception_formatter=structlog.dev.plain_traceback,
    )


def _is_journal(stream: TextIO, journal: str) -> bool:
    """Whether systemd connected this very stream to the journal: JOURNAL_STREAM is its device and inode."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return journal == f"{status.st_dev}:{status.st_ino}"


def _is_secret(key: object) -> bool:
    return _SECRET.search(str(key)) is not None


def _plain(value: object, depth: int) -> Any:
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case str():
            return _text(value)
        case Mapping() if depth < _DEEPEST:
            return {
                _text(str(key)): _HIDDEN if _is_secret(key) else _plain(part, depth + 1) for key, part in value.items()
            }
        case bytes() | bytearray():
            return _text(repr(bytes(value)))
        case Sequence() | set() | frozenset() if depth < _DEEPEST:
            return [_plain(part, depth + 1) for part in value]
        case _:
            return _text(_described(value))


def _described(value: object) -> str:
    try:
        return str(value) if isinstance(value, BaseException | os.PathLike) else repr(value)
    except Exception as error:
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def _text(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()  # lone surrogates
    text = _IN_QUERY.sub(rf"\1{_HIDDEN}", _IN_URL.sub(rf"\1:{_HIDDEN}@", text))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text) - _LONGEST} more characters)"


def _escape(text: str) -> str:
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode(), text)
