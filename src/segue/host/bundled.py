"""Which package brings a channel or a source that comes with Segue, for whoever names one that is not installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_OF: Final = {
    **{name: f"segue-{name}" for name in ("apprise", "console", "email-smtp", "files", "kafka", "mqtt", "nats")},
    **{name: f"segue-{name}" for name in ("push-apns", "push-fcm", "rabbitmq", "redis-streams", "segment", "shopify")},
    **{name: f"segue-{name}" for name in ("sms-gateway", "sms-smpp", "sql", "stripe", "web-push", "webhook")},
    **{name: f"segue-{name}" for name in ("webhooks", "whatsapp", "woocommerce")},
    "customer-apprise": "segue-apprise",
    "customer-webhook": "segue-webhook",
    "rcs": "segue-twilio",
    "sms-twilio": "segue-twilio",
}


def bundled() -> dict[str, str]:
    """The package of each channel and source that comes with Segue, by its name in ``use``."""
    return dict(_OF)


def not_offered(use: str, offered: Iterable[str]) -> str:
    """That no plugin offers what ``use`` names, which ones are, and what to install where it comes with Segue."""
    others = ", ".join(sorted(offered)) or "none is installed"
    said = f"no plugin offers {use!r} ({others})"
    return f"{said}: pip install {_OF[use]}" if use in _OF else said
