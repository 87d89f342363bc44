"""The picture: rules with their journeys moving through them, messages arriving, decisions being made.

Every line is composed to the width of the terminal, and as many lines as it has rows, so that nothing wraps, scrolls
or flickers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Final

import msgspec
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text

from segue.api import Instant, to_datetime
from segue.api.values import DAY, HOUR
from segue.cli.demonstration.annotations import MARKS
from segue.cli.demonstration.drawing import apart, beside, fill, fit, shorten, title_line
from segue.cli.demonstration.freshness import FRESH, Freshness
from segue.cli.demonstration.scene import Arrival, Judged, Scene
from segue.cli.demonstration.tables import draw_grid, draw_table, grid_height
from segue.cli.demonstration.views import TURN, Views, stack
from segue.program.program import Program
from segue.runtime.running import DecisionLine

KIND: Final = re.compile(r" \((?:transactional|promotional|informational)\)")
"""What a policy's line is for: the rule beside it says as much."""
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")

WIDE: Final = 118
"""Columns from which two rules, and messages and decisions, stand side by side."""

ROOMY: Final = 150
"""Columns from which messages show their addresses."""
LOW: Final = 30
"""Rows below which every line is saved that can be."""

DECISIONS: Final = {
    "entered": "bold",
    "converted": "magenta",
    "sent": "bright_blue",
    "finished": "green",
    "exited": "yellow",
    "skipped": "yellow",
    "deferred": "cyan",
    "retracted": "cyan",
    "ignored": "dim",
    "failed": "red",
    "undelivered": "red",
}


class Places(msgspec.Struct, frozen=True):
    """Where to look next, as the footer shows it. ``mailbox`` is a file in ``folder``."""

    url: str
    folder: str
    mailbox: str
    tutorial: str


class Screen:
    """A renderable of the whole terminal. `frame` gives its lines for a size; rich asks for them at each refresh."""

    def __init__(self, scene: Scene, programs: Sequence[Program], places: Places, zone: tzinfo) -> None:
        self._scene = scene
        self._rules = [program.name for program in programs]
        self._places = places
        self._zone = zone
        self._fresh = Freshness()
        self._views = Views(programs, self._fresh)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = console.size
        lines = self.frame(width, height)
        for place, line in enumerate(lines):
            yield from line.render(console)
            if place < len(lines) - 1:
                yield Segment.line()

    def frame(self, width: int, height: int) -> list[Text]:
        """The picture as exactly ``height`` lines of ``width`` columns."""
        counts, low, wide = self._scene.counts, height < LOW, width >= WIDE
        foot = self._footer(width, low=low)
        whole = len(self._rules) + 1 <= height * 9 // 20  # else the rules have room in a grid alone
        above = 1 + (len(self._rules) + 1 if whole else grid_height(self._rules, width))
        least = 7 if wide or low else 12
        half = width // 2 - 1
        room = min(height - len(foot) - above - least, 24)
        pages = self._views.show(counts, self._today(), half if wide else width, room, 2 if wide else 1)
        draw = draw_table if whole else draw_grid
        in_view = {rule.partition(" ")[0] for page in pages for rule in page.rules}
        lines = [self._header(width), *draw(self._rules, counts, width, in_view, self._fresh)]
        if pages:
            lines += beside(stack(pages, room), half)
        room = max(0, height - len(lines) - len(foot))
        if wide:
            lines += beside([self._letters(half, room, addresses=width >= ROOMY), self._decisions(half, room)], half)
        else:
            few = min(room, max(3, room * 2 // 5))
            lines += self._letters(width, room - few, addresses=False) + self._decisions(width, few)
        lines = lines[: max(0, height - len(foot))]
        lines += [Text() for _ in range(height - len(foot) - len(lines))]
        return [fit(line, width) for line in (*lines, *foot)][:height]

    # Parts

    def _header(self, width: int) -> Text:
        scene = self._scene
        events, messages = scene.rates
        left = Text.assemble((" Segue ", "bold reverse"), "  ", (self._moment(scene.now, "%a %d %b %H:%M"), "bold"))
        left.append(f"  {_passed(scene.now - scene.began)} in {int(time.monotonic() - scene.started)}s", "dim")
        if width >= WIDE:
            left.append(f"   {word_speed(scene.clock.speed)}   a simulated shop", "dim")
        rates = (f" {events:.1f}/s", f" {messages:.1f}/s") if width >= WIDE else ("", "")
        right = Text.assemble(
            (f"{scene.events:,}", "bold"),
            f" events{rates[0]}  ",
            (f"{scene.messages:,}", "bold bright_blue"),
            f" messages{rates[1]} ",
        )
        return apart(left, right, width)

    def _letters(self, width: int, room: int, *, addresses: bool) -> list[Text]:
        sent = self._scene.by_channel
        channels = [channel for channel in MARKS if sent[channel]]
        channels += sorted(channel for channel in sent if channel not in MARKS)
        told = [(f"{MARKS.get(channel, channel)} {sent[channel]:,}", "bright_blue") for channel in channels]
        lines = [title_line("messages arriving", width, *told)]
        for arrival in reversed(self._scene.letters):
            if len(lines) >= room:
                break
            lines.append(self._letter(arrival, width, addresses=addresses))
        return fill(lines, room)

    def _letter(self, arrival: Arrival, width: int, *, addresses: bool) -> Text:
        letter = arrival.letter
        fresh = time.monotonic() - arrival.seen < FRESH
        line = Text(" ")
        line.append(self._moment(arrival.at, "%H:%M "), "dim")
        mark = MARKS.get(letter.channel, "•")
        line.append(f"{mark} {letter.channel:<7}", "bold bright_blue" if fresh else "bright_blue")
        who, room = (letter.address, 22) if addresses else (letter.customer, 12)
        line.append(f"{shorten(who, room):<{room}} ", "bold" if fresh else "")
        subject, _, text = letter.words.partition(" · ")
        line.append(subject, "bold" if fresh else "")
        if text:
            line.append(f"  {text}", "dim")
        line.truncate(width, overflow="ellipsis")
        return line

    def _decisions(self, width: int, room: int) -> list[Text]:
        counts = self._scene.counts
        told = [
            (f"{n:,} {what}", DECISIONS[what])
            for what in ("deferred", "skipped")
            if (n := sum(counts.reasons(what).values()))
        ]
        lines = [title_line("decisions", width, *told)]
        for judged in reversed(self._scene.decisions):
            if len(lines) >= room:
                break
            if judged.line.decision == "sent":  # the message itself tells of that
                continue
            lines.append(self._decision(judged, width))
        return fill(lines, room)

    def _decision(self, judged: Judged, width: int) -> Text:
        decided = judged.line
        fresh = time.monotonic() - judged.seen < FRESH
        line = Text(" ")
        line.append(self._moment(decided.at, "%H:%M "), "dim")
        style = DECISIONS.get(decided.decision, "")
        line.append(f"{decided.decision:<11}", f"bold {style}" if fresh and style != "dim" else style)
        line.append(f"{shorten(decided.customer, 11):<12}", "bold" if fresh else "")
        line.append(f"{shorten(decided.rule, 14):<15}", "dim")
        line.append(self._tell_briefly(decided), "" if fresh else "dim")
        line.truncate(width, overflow="ellipsis")
        return line

    def _footer(self, width: int, *, low: bool) -> list[Text]:
        places, (customer, rule) = self._places, self._scene.known
        first = Text.assemble((" look  ", "dim"))
        first.append(f"{places.url}/healthz  ", "cyan")
        first.append("/metrics  ", "cyan")
        mailbox = f"{places.folder}/{places.mailbox}"
        first.append(f"tail -f {mailbox if width >= ROOMY else places.mailbox}", "cyan")
        second = Text.assemble((" why?  ", "dim"))
        second.append(f"segue why {customer or 'CUSTOMER'} {rule or 'RULE'}", "cyan")
        second.append(f"  in {places.folder}", "dim")
        learn = Text.assemble(("learn  ", "dim"), (f"{places.tutorial} ", "cyan")) if width >= WIDE else Text()
        ends = Text.assemble(("Ctrl-C", "bold"), " ends ")
        if low:  # by turns
            turn = int((time.monotonic() - self._scene.started) / TURN) % 3
            return [apart(first if turn == 2 else second, ends, width)]
        return [Text("─" * width, "dim"), apart(first, learn, width), apart(second, ends, width)]

    # Pieces

    def _moment(self, at: Instant, form: str) -> str:
        return to_datetime(at).astimezone(self._zone).strftime(form)

    def _today(self) -> date:
        return to_datetime(self._scene.now).astimezone(self._zone).date()

    def _tell_briefly(self, line: DecisionLine) -> str:
        reason = KIND.sub("", word_moments(line.reason, self._zone))
        if not line.channel:
            return reason
        return f"{MARKS.get(line.channel, line.channel)} {reason or line.message}"


def tell_reason(line: DecisionLine, zone: tzinfo) -> str:
    """What a decision was about, in a few words."""
    what = f'{line.channel} "{line.message}"' if line.channel else ""
    return " · ".join(part for part in (what, word_moments(line.reason, zone)) if part)


def word_moments(text: str, zone: tzinfo) -> str:
    """The text with its moments (RFC 3339) as the shop's clock shows them: ``Thu 08:00``."""
    return _MOMENT.sub(lambda found: datetime.fromisoformat(found[0]).astimezone(zone).strftime("%a %H:%M"), text)


def word_speed(speed: float) -> str:
    """``2 h a second``."""
    seconds = speed
    for unit, size in (("day", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit} a second"
    return f"{seconds:g} s a second"


def _passed(micros: int) -> str:
    days, rest = divmod(micros, DAY)
    return f"{days}d {rest // HOUR}h" if days else f"{rest // HOUR}h"
