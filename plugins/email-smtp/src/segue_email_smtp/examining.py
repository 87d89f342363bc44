"""What ``segue doctor`` looks at for mail: the records by which receivers know a sender, the servers, the mailbox.

Sources: SPF is RFC 7208, DKIM RFC 6376, DMARC RFC 7489 with the walk up the tree of its successor in place of a list of
public suffixes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence

from segue.api import Finding
from segue_email_smtp.config import Config
from segue_email_smtp.dkim import Signer
from segue_email_smtp.dns import Dns, NoAnswer
from segue_email_smtp.replies import readable

GOOD_BITS = 2048
"""Of an RSA key (RFC 8301, section 3.2: signers SHOULD use at least so many)."""
_MOST_LABELS = 8
_RESERVED = re.compile(r"(^|\.)(test|example|invalid|localhost|example\.(com|net|org))$")
"""Names that nobody has (RFC 6761, section 6; RFC 2606)."""
_TAG = re.compile(r"([a-z]+)\s*=\s*([^;]*)", re.IGNORECASE)


class Examined:
    """One stream's findings. ``signers`` are its keys."""

    def __init__(self, config: Config, signers: Sequence[Signer], dns: Dns) -> None:
        self._sender = config.from_mailbox.domain
        self._returns = config.bounce_address("0" * 32).partition("@")[2]
        self._signers = signers
        self._host = config.host
        self._dns = dns
        self._asks = config.nameserver is not None or _RESERVED.search(self._sender) is None

    async def findings(self) -> list[Finding]:
        """What the DNS says of it."""
        if not self._asks:
            told = f"{self._sender} is a name for examples and tests (RFC 6761): no record is looked for"
            return [Finding("DNS", True, told)]
        looks = {"SPF": self._spf, "bounces": self._mx, "DKIM": self._dkim, "DMARC": self._dmarc}
        told_of = await asyncio.gather(*(self._look(what, look) for what, look in looks.items()))
        return [one for found in told_of for one in found]

    async def _look(self, what: str, look: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
        try:
            return await look()
        except NoAnswer as error:
            told = f"{self._sender}: the DNS does not answer ({error})"
            return [Finding(what, False, told, "try again; nameserver below the channel names another server")]

    async def _spf(self) -> list[Finding]:
        records = [one for one in await self._dns.texts(self._returns) if re.match(r"v=spf1( |$)", one, re.IGNORECASE)]
        where = f"{self._returns}, the domain of the return path"
        if not records:
            return [
                Finding(
                    "SPF",
                    False,
                    f"{where}, has no SPF record: receivers cannot tell that {self._host} may send for it",
                    f'publish at {self._returns}: TXT "v=spf1 include:… -all", with what your provider says to include',
                )
            ]
        if len(records) > 1:
            told = f"{where}, has {len(records)} SPF records: receivers then take none of them (RFC 7208, section 4.5)"
            return [Finding("SPF", False, told, "put them into one")]
        if re.search(r"(^| )\+?all\b", records[0].removeprefix("v=spf1"), re.IGNORECASE):
            told = f"{where}, lets everybody send: {records[0]}"
            return [Finding("SPF", False, told, 'end it with "-all", or "~all" while you try it')]
        return [Finding("SPF", True, f"{where}: {records[0]}")]

    async def _mx(self) -> list[Finding]:
        hosts = await self._dns.exchangers(self._returns)
        if hosts:
            return [
                Finding("bounces", True, f"{self._returns}, the domain of the return path, takes mail by {hosts[0]}")
            ]
        told = f"{self._returns}, the domain of the return path, takes no mail, so that no bounce comes back"
        return [Finding("bounces", False, told, f"publish at {self._returns}: MX 10 and the host that takes its mail")]

    async def _dkim(self) -> list[Finding]:
        if not self._signers:
            return [Finding("DKIM", True, f"{self._sender}: no key here, so that {self._host} must sign")]
        return [await self._key(signer) for signer in self._signers]

    async def _key(self, signer: Signer) -> Finding:
        records = await self._dns.texts(signer.place)
        publish = f'publish at {signer.place}: TXT "{signer.record}"'
        if not records:
            return Finding("DKIM", False, f"{signer.place} is not published: every signature fails", publish)
        tags = _tags(records[0])
        public = "".join(tags.get("p", "").split())
        if len(records) > 1:
            return Finding("DKIM", False, f"{signer.place} has {len(records)} records: which counts is chance", publish)
        if not public:
            return Finding(
                "DKIM", False, f"{signer.place} is revoked: its p is empty", f"{publish}; or sign with another"
            )
        if public != signer.public:
            told = f"{signer.place} publishes another key than the one that signs: every signature fails"
            return Finding("DKIM", False, told, publish)
        if "y" in tags.get("t", "").split(":"):
            told = f"{signer.place} says that it is being tried out (t=y): receivers may take its mails for unsigned"
            return Finding("DKIM", False, told, publish)
        if signer.algorithm == "rsa-sha256" and signer.bits < GOOD_BITS:
            told = f"{signer.place} fits the key, which has {signer.bits} bits"
            return Finding("DKIM", True, told, f"make one of {GOOD_BITS} under a new selector (RFC 8301)")
        return Finding("DKIM", True, f"{signer.place} fits the key that signs")

    async def _dmarc(self) -> list[Finding]:
        domain = self._sender
        for domain in _upwards(self._sender):
            records = [one for one in await self._dns.texts(f"_dmarc.{domain}") if re.match(r"v=DMARC1\b", one)]
            if records:
                break
        else:
            told = f"{self._sender} has no DMARC record: Gmail and Yahoo refuse bulk mail without one"
            advice = f'publish at _dmarc.{self._sender}: TXT "v=DMARC1; p=none; rua=mailto:…", and read the reports'
            return [Finding("DMARC", False, told, advice)]
        if len(records) > 1:
            told = f"_dmarc.{domain} has {len(records)} records: receivers then take none of them"
            return [Finding("DMARC", False, told, "keep one")]
        tags = _tags(records[0])
        policy = tags.get("p", "").lower()
        if policy not in ("none", "quarantine", "reject"):
            return [Finding("DMARC", False, f"_dmarc.{domain} has no good p: {records[0]}", 'begin with "p=none"')]
        return [Finding("DMARC", True, f"_dmarc.{domain}: p={policy}"), self._alignment(domain, tags)]

    def _alignment(self, organization: str, tags: dict[str, str]) -> Finding:
        """Whether what receivers check is about the domain that people see (RFC 7489, section 3.1)."""

        def aligned(domain: str, mode: str) -> bool:
            if tags.get(mode, "r").lower() == "s":
                return domain == self._sender
            # A domain above the sender's that one may sign with is one's own, and no public suffix: both are of one
            # organization then, wherever the record stands.
            return f".{domain}".endswith(f".{organization}") or f".{self._sender}".endswith(f".{domain}")

        by = [f"the signature of {one.domain}" for one in self._signers if aligned(one.domain, "adkim")]
        by += [f"the return path at {self._returns}"] if aligned(self._returns, "aspf") else []
        if by:
            return Finding("DMARC", True, f"{self._sender} is aligned with {' and '.join(by)}")
        if not self._signers:
            told = (
                f"{self._sender} is vouched for only where {self._host} signs as it: the return path is {self._returns}"
            )
            return Finding("DMARC", True, told, f"have {self._host} sign as {self._sender}, or add a key of your own")
        told = f"neither a signature nor the return path ({self._returns}) is of {self._sender}: every mail fails"
        return Finding("DMARC", False, told, f"sign as {self._sender}, or move envelope_sender there")


async def look_into(config: Config) -> list[Finding]:
    """Whether what comes back can be read."""
    bounces = config.bounces
    if bounces is None:
        told = "no mailbox for what comes back: addresses that bounce later, and complaints, stay unknown"
        return [Finding("bounces", True, told, "name one in [channels.NAME.bounces]")]
    where = (
        bounces.maildir
        if bounces.maildir is not None
        else f"the mailbox at {bounces.imap.host}"
        if bounces.imap
        else ""
    )
    try:
        waiting = len(await bounces.mailbox.read())
    except (OSError, ValueError) as error:
        advice = "mend [channels.NAME.bounces] in segue.toml, or the rights of its folder"
        return [Finding("bounces", False, f"{where} cannot be read: {readable(str(error))}", advice)]
    findings = [Finding("bounces", True, f"{where} can be read, {waiting} wait")]
    for one in dict.fromkeys(config.streams):
        if "{key}" not in (one.envelope_sender or one.sender):
            told = f"{one.envelope_sender or one.sender}, the return path, does not name the message"
            advice = f'bounces that do not bring it back stay unknown: write "…+{{key}}@{one.from_mailbox.domain}"'
            findings.append(Finding("bounces", True, told, advice))
    return findings


def _upwards(domain: str) -> Iterator[str]:
    """A domain and those above it, down to two labels."""
    labels = domain.split(".")[-_MOST_LABELS:]
    yield domain
    for start in range(len(labels) - 1):
        if (above := ".".join(labels[start:])) != domain:
            yield above


def _tags(record: str) -> dict[str, str]:
    return {found[1].lower(): found[2].strip() for found in _TAG.finditer(record)}
