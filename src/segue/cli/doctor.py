"""``segue doctor``: is everything in order, and if not, what to do."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Final

import typer

from segue.api import Finding, Instant, Tools, to_rfc3339
from segue.api.values import DAY, HOUR
from segue.cli.ending import WRONG, counted, open_project, print_json
from segue.customers.identity import describe
from segue.delivery.policy import word_line
from segue.host import ConfigurationError, Fault, OpenChannel, configure
from segue.host.http import AiohttpClient
from segue.host.limits import Limits
from segue.host.project import Project
from segue.language import model as m
from segue.program.wording import word_period
from segue.runtime.assembly import Assembly, configure_fetching, open_sources
from segue.runtime.assembly import check as check_book
from segue.runtime.pace import Pace, look_at_paces
from segue.runtime.publishing import load
from segue.runtime.running import Running
from segue.runtime.unknown_events import unknown_events
from segue.store import erasures
from segue.store.accounts import load_accounts
from segue.store.clocks import load_clocks
from segue.store.coupons import load_pools
from segue.store.database import Transaction, holder, library_version, migrations, read_only
from segue.store.errors import StoreError
from segue.store.fetching import list_positions
from segue.store.identity import load_crowded
from segue.store.names import list_undeclared
from segue.store.pauses import count_waiting, load_pauses
from segue.store.rejections import count_rejections
from segue.store.sweeps import count_rules, integrity
from segue.store.traits import load_refused

_MOST: Final = 10
"""Findings of one kind that are shown, at most."""


def doctor(json: Annotated[bool, typer.Option("--json", help="One finding a line, as JSON.")] = False) -> None:
    """Look at settings, plugins, rules, channels, the store and its counts. Exits with 1 when something is not well.

    A channel may look outside too, such as into the DNS. Nothing is sent.
    """
    assembly = open_project(Path.cwd())
    findings = [
        *_machine(),
        *_project(assembly),
        *asyncio.run(_examined(assembly)),
        *_rules(assembly),
        *_store(assembly),
    ]
    for one in findings:
        if json:
            print_json({"what": one.what, "well": one.well, "found": one.found, "advice": one.advice or None})
        else:
            print(f"{'✓' if one.well else '✗'} {one.what:<10} {one.found}")
            if one.advice:
                print(f"{'':13}{one.advice}")
    if not all(one.well for one in findings):
        raise typer.Exit(WRONG)


def _machine() -> list[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    return [Finding("machine", True, f"Python {version}, SQLite {library_version()}")]


def _project(assembly: Assembly) -> list[Finding]:
    project = assembly.project
    place = str(project.root / "segue.toml") if project.configured else "no segue.toml: defaults"
    findings = [Finding("settings", True, place)]
    for problem in assembly.problems:
        findings.append(Finding("plugins", False, problem, "install it, or mend what it says; see `segue plugins`"))
    for name, (spec, settings) in assembly.channels.items():
        try:
            configure(spec.config, settings.settings, f"channels.{name}")
        except ConfigurationError as error:
            findings.append(Finding("channel", False, str(error), "mend it in segue.toml"))
        else:
            if project.channels:
                findings.append(Finding("channel", True, f"{name} by {settings.use}"))
    if not project.channels:
        findings.append(Finding("channel", True, "none is set: messages go to the console"))
    sources, problems = open_sources(assembly)
    fetching, more = configure_fetching(assembly)
    called = {name for name, _, _ in sources}
    findings += [Finding("source", True, f"{name}, called over HTTP") for name in sorted(called)]
    findings += [Finding("source", True, f"{name}, fetches by {spec.name}") for name, spec, _ in fetching]
    for problem in dict.fromkeys((*problems, *more)):
        findings.append(Finding("source", False, problem, "mend it in segue.toml"))
    if not sources and not fetching and not problems and not more:
        findings.append(Finding("source", False, "no source: no event can come in", "pip install segue-segment"))
    return [*findings, *_links(project)]


def _links(project: Project) -> list[Finding]:
    """Whether the links of messages tell when they are opened. That they do not is the project's say, and no fault."""
    tracking = project.tracking
    if not (tracking.clicks or tracking.opens):
        return [Finding("links", True, "none is followed, as segue.toml says")]
    if tracking.url is None:
        found = f"none is followed: {project.http.url} is no address that customers reach"
        advice = 'to follow them set url = "https://…" below [http], or domain = "…" below [tracking]'
        return [Finding("links", True, found, advice)]
    findings = [Finding("links", True, f"followed over {tracking.url}")]
    if not tracking.home:
        advice = 'set home = "https://…" below [tracking]'
        findings.append(Finding("links", False, "one that has expired leads nowhere", advice))
    return findings


async def _examined(assembly: Assembly) -> list[Finding]:
    """What channels find outside Segue: they are opened for it, and send nothing."""
    findings: list[Finding] = []
    client = AiohttpClient()
    for name, (spec, settings) in assembly.channels.items():
        if not spec.examines:
            continue
        try:
            config = configure(spec.config, settings.settings, f"channels.{name}")
        except ConfigurationError:
            continue  # it was told with the settings
        tools = Tools(channel=name, http=client, callback_url=assembly.project.http.url)
        channel = await OpenChannel.open(spec, config, tools)
        try:
            findings += await channel.examine()
        except Fault as fault:
            findings.append(Finding("channel", False, f"{name}: {fault}", "mend it in segue.toml"))
        finally:
            await channel.close()
    return findings


def _rules(assembly: Assembly) -> list[Finding]:
    book = check_book(assembly)
    errors = sum(1 for one in book.diagnostics if one.is_error)
    rules = len(book.checked.book.rules)
    if errors:
        return [Finding("rules", False, f"{counted(errors, 'error')} in {assembly.project.rules}", "segue check")]
    if not rules:
        return [Finding("rules", False, f"none in {assembly.project.rules}", "write one, or `segue init`")]
    return [
        Finding("rules", True, f"{rules} in {assembly.project.rules}"),
        *(
            Finding("settings", False, f"{unknown.place}: {unknown.found}", unknown.advice)
            for unknown in unknown_events(assembly, book.checked.book)
        ),
    ]


def _budgets(running: Running) -> list[Finding]:
    """Budgets that cannot hold anything back: no channel costs anything in their currency."""
    findings = []
    for policy in running.policies.values():
        for line in policy.lines:
            if not isinstance(line, m.Budget):
                continue
            currency, words = line.amount.currency, f"{word_line(line)} ({policy.kind})"
            elsewhere = sorted(name for name, cost in running.costs.items() if cost.currency != currency)
            if elsewhere:
                found = f"{words}: not counted, since it costs in another currency: {', '.join(elsewhere)}"
                findings.append(Finding("budget", False, found, f"give their cost in {currency} in segue.toml"))
            elif not running.costs:
                found = f"{words}: no channel has a cost, so nothing is ever spent"
                findings.append(
                    Finding("budget", False, found, 'write cost = "0.06 ' + currency + '" below [channels.NAME]')
                )
    return findings


def _pace(pace: Pace) -> Finding:
    text = f"{pace.rule}: {pace.counted:,} entered in {word_period(pace.per)}, {pace.expected:,} expected"
    advice = {
        "low": "look whether its trigger still arrives, or lower its `expect`",
        "high": "look where they come from, or raise its `expect`",
        "paused": "nobody enters it for now: raise its `expect` where so many are right, and publish",
    }.get(pace.state, "")
    return Finding("entries", not advice, text, advice)


def _fetched(tx: Transaction, now: Instant) -> list[Finding]:
    """When sources that fetch last brought something, and what of any source was rejected since yesterday."""
    findings = [
        Finding("source", True, f"{one.source} last brought something at {to_rfc3339(one.at)}")
        for one in list_positions(tx)
    ]
    for count in count_rejections(tx):
        if count.newest is not None and count.newest > now - DAY:
            text = f"{count.source}: {counted(count.total, 'rejection')}, the newest at {to_rfc3339(count.newest)}"
            # Well all the same: whoever finds the address can send what is refused.
            findings.append(Finding("source", True, text, f"segue rejected {count.source}"))
    return findings


def _clocks(tx: Transaction, sources: Collection[str]) -> list[Finding]:
    """Those of the project's sources whose clocks were found to be wrong."""
    findings = []
    for clock in load_clocks(tx):
        hours = f"{abs(clock.offset) / HOUR:.1f} hours"
        if clock.source not in sources or clock.state == "right":
            continue
        if clock.state == "ahead":
            found = f"{clock.source}: {clock.share / 10:g}% of its events are dated in the future, by about {hours}"
            advice = "set its clock or its time zone right; until then they count as of their arrival"
        else:
            found = f"{clock.source}: its events are dated at least {hours} before they arrive"
            advice = "set its clock or its time zone right; where it sends so late on purpose, say late = true below it"
        findings.append(Finding("clock", False, f"{found}; noticed at {to_rfc3339(clock.since)}", advice))
    return findings


def _names(tx: Transaction, limits: Limits, now: Instant) -> list[Finding]:
    """Sources that use, or are about to use, too many names that nobody declared. That something was left out is told
    for a day."""
    findings = []
    for one in list_undeclared(tx):
        key, most = f"{one.sort}_names", limits.event_names if one.sort == "event" else limits.trait_names
        advice = f"declare those that rules need and mend the sender; or raise {key} below [limits] in segue.toml"
        used = f"{one.source} uses {one.names:,} names of {one.sort}s that nobody declared, and may use {most:,}"
        if one.at > now - DAY:
            gone = "rejected" if one.sort == "event" else "left out"
            text = f"{used}; {counted(one.left_out, one.sort)} {gone} so far, last at {to_rfc3339(one.at)}"
            findings.append(Finding("names", False, text, advice))
        elif one.names * 10 >= most * 9:
            findings.append(Finding("names", True, used, advice))
    return findings


def _accounts(tx: Transaction, now: Instant) -> list[Finding]:
    """Provider accounts that are not called for now."""
    findings = []
    for name, state in load_accounts(tx).items():
        if state.opened is not None:
            text = (
                f"{name}: the circuit breaker is {state.breaker(now)} since {to_rfc3339(state.opened)}: "
                f"{counted(state.failures, 'call')} in a row came to nothing, the last since {state.reason}"
            )
            advice = f"messages wait; one tries at {to_rfc3339(state.probe)}. See whether the provider works"
            findings.append(Finding("account", False, text, advice))
        elif state.asked is not None and state.asked > now:
            text = f"{name}: its provider asks to wait until {to_rfc3339(state.asked)}: {state.wish}"
            advice = "messages wait; if it comes often, lower rate below it. `segue resume CHANNEL` has it called now"
            findings.append(Finding("account", False, text, advice))
    return findings


def _pauses(tx: Transaction) -> list[Finding]:
    """What is paused. Not well, or it would be forgotten."""
    waiting = count_waiting(tx)
    return [
        Finding(
            "paused",
            False,
            f"{one.sort} {one.name} since {to_rfc3339(one.since)} by {one.who}; "
            f"waiting: {counted(waiting.get((one.sort, one.name), 0), 'message')}",
            f"segue resume {one.name}",
        )
        for one in load_pauses(tx)
    ]


def _erasures(tx: Transaction) -> list[Finding]:
    """Erasures that are not done with: what channels have still to delete, or would not."""
    waiting = [
        Finding("erasures", False, f"{channel}: {counted(calls, 'call')} without an answer", "segue customer erasures")
        for channel, calls in erasures.count_waiting(tx).items()
    ]
    return waiting + [
        Finding(
            "erasures",
            False,
            f"erasure {number}: {', '.join(channels)} would not delete",
            f"see why in `segue customer erasures`, delete it there by hand, then say --settled {number}",
        )
        for number, channels in erasures.count_refused(tx).items()
    ]


def _identity(tx: Transaction) -> list[Finding]:
    """Identifiers that too many share, and traits that were kept out. Well all the same: it is what was sent."""
    findings = [
        Finding(
            "identity",
            True,
            f"{describe(key)} links nobody since {to_rfc3339(at)}: too many have it",
            "is it a kiosk's, or a call centre's? Else raise most_links below [identity]",
        )
        for key, at in load_crowded(tx)[:_MOST]
    ]
    for one in load_refused(tx)[:_MOST]:
        text = f"{one.trait or 'trait'}: {one.n:,} from {one.source or 'a rule'} kept out: {one.reason}"
        findings.append(Finding("traits", True, text, "mend it where it is sent, or declare the trait otherwise"))
    return findings


def _store(assembly: Assembly) -> list[Finding]:
    project = assembly.project
    path = project.database
    if not path.exists():
        return [Finding("store", True, f"{path}: not made yet, `segue run` makes it")]
    findings = []
    try:
        with read_only(path) as tx:
            verdict = integrity(tx)
            findings.append(
                Finding("store", verdict == "ok", f"{path}: {verdict}", "" if verdict == "ok" else "restore a backup")
            )
            schema = tx.row("pragma user_version")
            newest = max(number for number, _ in migrations())
            if schema is not None and schema[0] != newest:
                findings.append(Finding("store", True, f"schema {schema[0]}; the next start brings it to {newest}"))
            else:
                now = Instant(time.time_ns() // 1000)
                findings += [*_fetched(tx, now), *_clocks(tx, assembly.sources), *_names(tx, project.limits, now)]
                findings += [*_accounts(tx, now), *_pauses(tx)]
            running = load(tx, assembly.setting)
            for count in count_rules(tx):
                text = (
                    f"{count.rule}: entered {count.entered:,} = inside {count.inside:,} + finished {count.finished:,} "
                    f"+ exited {count.exited:,} + failed {count.failed:,}"
                )
                advice = "" if count.balanced else "the counts disagree: please report this, with a backup of the store"
                findings.append(Finding("journeys", count.balanced, text, advice))
            if running is not None:
                findings += [_pace(one) for one in look_at_paces(tx, running, Instant(time.time_ns() // 1000))]
            if running is None:
                findings.append(Finding("book", True, "nothing was published yet"))
            else:
                findings += _budgets(running)
            findings += _erasures(tx)
            findings += _identity(tx)
            findings += [
                Finding(
                    "coupons",
                    False,
                    f"{pool.free:,} of {counted(pool.codes, 'code')} left in the pool {pool.name}: it runs low"
                    if pool.free
                    else f"no code is left in the pool {pool.name}",
                    f"segue coupons add {pool.name} FILE",
                )
                for pool in load_pools(tx, Instant(time.time_ns() // 1000))
                if pool.pattern is None and (not pool.free or pool.runs_low)
            ]
    except StoreError as error:
        findings.append(Finding("store", False, str(error), "see the message"))
        return findings
    free = shutil.disk_usage(path.parent).free
    low = free < 200_000_000
    findings.append(
        Finding("disk", not low, f"{free / 1e9:,.1f} GB free", "make room: a full disk stops everything" if low else "")
    )
    process = holder(path)
    findings.append(Finding("daemon", True, f"process {process} used the store last" if process else "never started"))
    return findings
