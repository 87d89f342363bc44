"""What a push service's answer means.

RFC 8030, 5 to 7; https://mozilla-push-service.readthedocs.io/en/latest/http.html for Firefox;
https://developer.apple.com/documentation/usernotifications/sending-web-push-notifications-in-web-apps-and-browsers for
Safari.
"""

from __future__ import annotations

from segue.api import Answer, Rejected, Response, Retry, Sent, Unknown
from segue.api.replies import quotable, retry_after

# A proxy says these when it does not know what became of the request.
_IN_DOUBT = frozenset({502, 504})


def judge(response: Response, now: float) -> Answer:
    """201 (or 200 and 202, as some say it) is yes. 404 and 410 say that the subscription is over. 401 and 403 say that
    the key is not the one by which the browser subscribed: the operator can put that right, and a customer whose
    browser is well should not be lost over it, so it is a Retry."""
    status = response.status
    reason = f"the push service answered {status} {quotable(response.body)}".rstrip()
    match status:
        case 200 | 202 if response.body.strip():
            # Only a 201 has something to say (RFC 8030, 5): an error, or a page of whoever sits in between.
            return Unknown(f"{reason}, which is no yes")
        case 200 | 201 | 202:
            return Sent(receipt=response.headers.get("location", "")[:500])
        case 404 | 410:
            return Rejected(reason, address_gone=True)
        case 401 | 403:
            return Retry(f"{reason}: is private_key the one whose public key the page subscribes with?")
        case 413:
            return Rejected(f"{reason}: the content is too long for this push service")
        case 429:  # RFC 8030, 8.4: the limit is of one subscription
            return Retry(reason, after=retry_after(response, now), address=True)
        case 408 | 425:
            return Retry(reason, after=retry_after(response, now))
        case _ if 300 <= status <= 399:
            return Retry(f"{reason}: redirects are not followed")
        case _ if 400 <= status <= 499:
            return Rejected(reason)
        case _ if status in _IN_DOUBT or not 300 <= status <= 599:
            return Unknown(reason)
        case _:
            return Retry(reason, after=retry_after(response, now))
