"""A rule book of any size, such as a large shop's: themes in files of their own, declarations, messages."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from segue.language.vocabulary import ChannelWords, Words

WORDS: Final = Words(channels={"email": ChannelWords(reactions=("clicked",)), "sms": ChannelWords()})
"""What the book's rules may use beside what they declare: two channels that need content."""

A_FILE: Final = 25
"""Rules in one file."""

_DECLARATIONS: Final = """\
# What the shop sends, and what it knows of its customers.
event cart_abandoned is "Cart Abandoned"
  cart_id text
  total money
  items list
event ordered is "Order Completed"
  order_id text
  total money
  items list
event returned is "Order Returned"
  order_id text
event signed_up is "Signed Up"
event viewed is "Product Viewed"
  product text
  price money
customer
  country text
  first_name text
  birthday date
  vip boolean
  points number
"""

_CART: Final = """\
# Win back a cart, in market {number}: one reminder, then an offer for those who looked.
rule cart_{number} "Win back carts, market {number}"
  when cart_abandoned where total > {amount} and customer.country in ["FI", "SE", "NO"]
  once per 30d
  on repeat restart
  until returned
  goal ordered within 7d worth total
  as promotional

  wait 1d unless ordered where (total > {amount})
  send email "message_{message}" with name = customer.first_name, total = total within 6h
  wait for clicked "message_{message}" up to 1d 6h
  if clicked email
    stop
  else if can get sms and time between 09:00 and 20:00 local
    send sms "message_{message}"
  else
    wait until tomorrow 09:00
    send email "message_{next}" as informational
  end
"""

_WELCOME: Final = """\
# Say hello, market {number}.
rule welcome_{number}
  when signed_up
  once
  until ordered

  send email "message_{message}"
  wait 3d unless ordered
  send email "message_{next}" then sms
"""

_ORDERED: Final = """\
# Thanks, and a question once the parcel has arrived, market {number}.
rule thanks_{number}
  when ordered per order_id
  until returned where (order_id = trigger.order_id)
  as transactional

  send email "message_{message}" with total = total
  wait 5d
  if customer.vip and total > {amount} or count(ordered in last 90d) >= 3
    send sms "message_{next}"
  end
"""

_LOOKED: Final = """\
rule viewed_{number} "Looked, and left, market {number}"
  when viewed where price > {amount} and not ordered in last 7d
  once per 7d
  goal ordered within 3d

  wait 4h unless ordered
  if customer.points > {amount}
    send email "message_{message}" with product = product
  else
    send sms "message_{next}" or email
  end
"""

_KINDS: Final = (_CART, _WELCOME, _LOOKED, _ORDERED)

_EMAIL: Final = """\
---
subject: {{{{ first_name | default: "Hello" }}}}, this is number {number}
preview: It is still here
---
Dear {{{{ first_name | default: "customer" }}}},

{{% if total %}}your cart of {{{{ total }}}} is still here.{{% else %}}we are glad that you came.{{% endif %}}

Your shop
"""

_SMS: Final = "{{{{ first_name }}}}, number {number} is waiting: shop.example/{number}\n"


def write_book(folder: Path, rules: int) -> None:
    """Write a book of so many rules into a folder, with a message for every two of them. The same number, the same
    book."""
    (folder / "declarations.rules").write_text(_DECLARATIONS, encoding="utf-8")
    messages = rules // 2 + 2
    for first in range(0, rules, A_FILE):
        numbers = range(first, min(first + A_FILE, rules))
        text = "\n".join(_rule(number) for number in numbers)
        (folder / f"market_{first // A_FILE:03}.rules").write_text(text, encoding="utf-8")
    for number in range(messages):
        home = folder / "messages" / f"message_{number}"
        home.mkdir(parents=True)
        (home / "email.txt").write_text(_EMAIL.format(number=number), encoding="utf-8")
        (home / "sms.txt").write_text(_SMS.format(number=number), encoding="utf-8")


def _rule(number: int) -> str:
    message = number // 2
    return _KINDS[number % len(_KINDS)].format(
        number=number, amount=20 + number % 50, message=message, next=message + 1
    )
