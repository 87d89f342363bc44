"""What Meta's answer means, and what an error in a report means.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from segue.api import Answer, Rejected, Response, Retry, Sent, Unknown
from segue.api.replies import quotable, retry_after

_PAIR_PAUSE: Final = 60.0
"""Seconds to wait after too many messages to one customer: Meta allows one every 6 s, and asks for growing pauses."""

_REFUSED: Final[Mapping[int, str]] = {
    130472: "the customer is part of an experiment of Meta's, and gets no marketing",
    131026: "it cannot be delivered: the number may not be on WhatsApp, or its app may be too old",
    131047: "the customer wrote nothing within the last 24 hours: only a template may go now, name one in the message",
    131049: "Meta held it back: the customer gets enough marketing, try another channel",
    131050: "the customer told WhatsApp to get no marketing from you",
    132000: "the number of body_… parameters is not that of the template",
    132001: "there is no such template in that language, or it is not approved",
    132005: "the text with its parameters is too long",
    132007: "the template goes against WhatsApp's policy",
    132012: "the parameters are not of the kind that the template expects",
    132015: "the template is paused because customers complained of it",
    132016: "the template is disabled for good",
    132018: "the template's parameters are wrong",
    132068: "the template's flow is blocked",
    132069: "the template's flow is throttled",
}
_LATER: Final = frozenset({1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131056, 131057, 133004, 133016})
_TOO_MUCH: Final = frozenset({4, 80007, 130429})
"""Too many calls of the app, of the account, of the number."""
_FOR_THE_OPERATOR: Final[Mapping[int, str]] = {
    0: "access_token is not valid: make a new one",
    3: "the app may not use this API: look at its permissions",
    10: "access_token lacks the permission whatsapp_business_messaging",
    33: "phone_number_id is not known: is the number still there?",
    190: "access_token is over or was withdrawn: make a new one, of a system user",
    368: "Meta has blocked the account for a while, for its policy",
    131005: "access_token lacks the permission whatsapp_business_messaging",
    131031: "Meta has locked the account",
    131037: "the number's display name is not approved yet",
    131042: "the account's payment does not work: look at it in the Business Manager",
    131045: "the number is not registered: register it",
    133010: "the number is not registered: register it",
}


OPTED_OUT: Final = 131050
"""Said of templates of the category marketing alone: a receipt still arrives, as it does after a STOP."""


class MetaError(msgspec.Struct, frozen=True):
    """An error as the API, and a report, writes it."""

    code: int
    message: str = ""
    error_subcode: int = 0
    title: str = ""
    error_data: Any = None

    def words(self) -> str:
        """The code and what Meta says of it, and what it means where that is known."""
        data = self.error_data.get("details") if isinstance(self.error_data, dict) else None
        said = data if isinstance(data, str) else self.message or self.title
        words = f"{self.code} {quotable(said.encode('utf-8', 'replace'))}".rstrip()
        meaning = _REFUSED.get(self.code) or _FOR_THE_OPERATOR.get(self.code)
        return f"{words}: {meaning}" if meaning else words


class _Id(msgspec.Struct, frozen=True):
    id: str


class _Good(msgspec.Struct, frozen=True):
    messages: tuple[_Id, ...] = ()


class _Bad(msgspec.Struct, frozen=True):
    error: MetaError | None = None


def judge(response: Response, now: float) -> Answer:
    """A 200 with a message's id is the only yes. No number is called dead: that WhatsApp does not reach it says nothing
    about SMS to the same number."""
    error = _error(response.body)
    if error is not None:
        return _judge_error(error, response, now)
    status = response.status
    said = f"Meta answered {status} {quotable(response.body)}".rstrip()
    if 200 <= status <= 299:
        try:
            good = msgspec.json.decode(response.body, type=_Good)
        except (msgspec.DecodeError, RecursionError):
            good = _Good()
        if good.messages and good.messages[0].id:
            return Sent(receipt=good.messages[0].id[:500])
        return Unknown(f"{said}, which names no message: is url right?")
    if status in {429, 503}:
        return Retry(said, after=retry_after(response, now), account=status == 429)
    if status in {401, 403, 404} or 300 <= status <= 399:
        return Retry(f"{said}: are url, phone_number_id and access_token right?")
    if 400 <= status <= 499:
        return Rejected(said)
    return Unknown(said)


def _judge_error(error: MetaError, response: Response, now: float) -> Answer:
    reason = f"Meta answered {response.status} with {error.words()}"
    wait = retry_after(response, now)
    if error.code in _REFUSED:
        return Rejected(reason, opted_out=error.code == OPTED_OUT)
    if error.code in _FOR_THE_OPERATOR or 200 <= error.code <= 299:
        return Retry(reason)
    if error.code == 100 and error.error_subcode == 33:
        return Retry(f"{reason}: is phone_number_id right, and may access_token see it?")
    if error.code == 131056:
        return Retry(reason, after=_PAIR_PAUSE if wait is None else wait, address=True)
    if error.code in _LATER or response.status in {429, 503}:
        return Retry(reason, after=wait, account=error.code in _TOO_MUCH or response.status == 429)
    if response.status >= 500:
        return Unknown(reason)
    return Rejected(reason)


def _error(body: bytes) -> MetaError | None:
    try:
        return msgspec.json.decode(body, type=_Bad).error
    except (msgspec.DecodeError, RecursionError):
        return None
