"""Whether an account can send: https://www.twilio.com/docs/iam/api/account#fetch-an-account-resource."""

from __future__ import annotations

import msgspec

from segue.api import Finding, Response
from segue.api.replies import quotable

__all__ = ["judge_account", "judge_callbacks"]


class _Account(msgspec.Struct, frozen=True):
    status: str


def judge_account(channel: str, response: Response) -> Finding:
    """What Twilio says of the account."""
    if response.status == 401:
        return Finding(
            channel,
            False,
            "Twilio does not know this account, or not this token",
            "copy account_sid and auth_token from the Twilio console",
        )
    try:
        status = msgspec.json.decode(response.body, type=_Account).status if response.status == 200 else ""
    except (msgspec.DecodeError, RecursionError):
        status = ""
    if not status:
        said = f"Twilio answers {response.status} {quotable(response.body, 80)}".rstrip()
        return Finding(channel, False, f"{said}: whether the account can send is not known", "is url right?")
    if status != "active":
        said = f"the Twilio account is {quotable(status.encode('utf-8', 'replace'), 20)}: nothing is sent"
        return Finding(channel, False, said, "ask Twilio's support")
    return Finding(channel, True, "the Twilio account is active")


def judge_callbacks(channel: str, callback_url: str | None) -> Finding:
    """Whether Twilio can tell what becomes of messages."""
    if callback_url is None:
        return Finding(
            channel,
            False,
            "Twilio can neither report on messages nor hand on replies: Segue's address from outside is not known",
            "write it into segue.toml: [http] url",
        )
    return Finding(channel, True, f"Twilio reports to {callback_url.rstrip('/')}/callbacks/{channel}")
