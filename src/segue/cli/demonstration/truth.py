"""What really makes this shop's customers order: what a report can only estimate, and a simulation knows.

Every share is causal: so many customers order *because* of the message who would not have ordered without it. What they
order by themselves comes on top, and is the same for those who get no message.
"""

from __future__ import annotations

from typing import Final

COMPARING: Final = "second_look"
"""The rule that sends those who looked around one message, on a channel that is drawn, or none."""
WAYS: Final = "channel"
"""Its split."""
BROUGHT_BACK: Final = {"email": 0.25, "sms": 0.35, "push": 0.0}
"""Of those whom its message reaches on a channel, how many it brings to order. Push brings nobody: some of those who
get it order all the same, and whoever credits the last touch takes that for its merit."""
REMINDED: Final = {"email": 0.25, "sms": 0.15}
"""Of those who leave a cart behind, how many a reminder on each channel brings to order. They wait for just that
channel: a reminder on the other one leaves them cold."""
REMINDING: Final = "cart_recovery"
"""The rule that reminds them."""
EFFECTLESS: Final = "weekly_digest"
"""A rule whose messages make nobody order. It goes to everybody who is around, many of whom order anyway soon after: so
whoever credits the last touch sees it sell."""
