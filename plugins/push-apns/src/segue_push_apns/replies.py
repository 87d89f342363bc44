"""What APNs' answer means.

https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
"""

from __future__ import annotations

from typing import Final

import msgspec

from segue.api import Answer, Rejected, Response, Retry, Sent, Unknown
from segue.api.replies import quotable, retry_after

_GONE: Final = frozenset({"Unregistered", "ExpiredToken", "BadDeviceToken"})
# These are the operator's to put right: the message is not at fault, and goes once it is done.
_OPERATOR: Final = frozenset(
    {
        "BadCertificate",
        "BadCertificateEnvironment",
        "BadTopic",
        "Forbidden",
        "InvalidProviderToken",
        "MissingProviderToken",
        "MissingTopic",
        "TopicDisallowed",
        "UnrelatedKeyIdInToken",
        "BadEnvironmentKeyIdInToken",
        "BadPath",
        "MethodNotAllowed",
    }
)
_TOKEN_UPDATES: Final = 20 * 60.0
"""Seconds after which Apple takes another provider token."""


class _Refusal(msgspec.Struct, frozen=True):
    reason: str = ""


def judge(response: Response, now: float) -> Answer:
    """200 is yes, and ``apns-id`` its name. A token that is over, or none of this environment, is gone.

    One of another app is refused and no more: were ``bundle_id`` wrong, everybody's would be."""
    status = response.status
    why = refusal_of(response)
    reason = f"Apple answered {status} {why or quotable(response.body)}".rstrip()
    wait = retry_after(response, now)
    if status == 200 and not response.body.strip():
        return Sent(receipt=response.headers.get("apns-id", "")[:100])
    if why == "DeviceTokenNotForTopic":
        return Rejected(f"{reason}: the token is of another app than bundle_id")
    if why in _GONE or status == 410:
        return Rejected(reason, address_gone=True)
    if why == "ExpiredProviderToken":
        return Retry(f"{reason}: a new one is made; if it stays so, look at this machine's clock", after=wait)
    if why == "TooManyProviderTokenUpdates":
        return Retry(reason, after=_TOKEN_UPDATES if wait is None else wait, account=True)
    if why == "TooManyRequests":  # "for the same device token": it says nothing of others
        return Retry(reason, after=wait, address=True)
    if why in _OPERATOR or status in {401, 403, 404, 405}:
        return Retry(f"{reason}: see private_key, key_id, team_id, bundle_id and url", after=wait)
    if status in {400, 413}:
        return Rejected(reason)
    if status in {502, 504} or not 300 <= status <= 599:  # a yes of Apple's is a 200, and has no words
        return Unknown(reason)
    return Retry(reason, after=wait, account=status == 429)


def refusal_of(response: Response) -> str:
    """Apple's word for why not; empty where it gives none."""
    try:
        return msgspec.json.decode(response.body, type=_Refusal).reason[:60]
    except (msgspec.DecodeError, RecursionError):
        return ""
