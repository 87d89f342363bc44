"""What is on the shelves at which price: things run out, come back, and cost less for a while.

What the shop says of that names no customer. It is Segue that knows who waits for it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from segue.api import Instant
from segue.api.values import DAY, HOUR
from segue.cli.demonstration.diary import Deed, Diary
from segue.cli.demonstration.goods import PRODUCTS, Product

_RESTS: Final = 6 * HOUR
"""Between two changes on the shelves, at the least; three times as much at the most."""
_DEAR: Final = Decimal(30)
"""From this price a fifth off is a drop worth a message."""


class Shelves:
    """Prices and stock. ``gone`` are the ids of products that cannot be had now, ``reduced`` of those that cost less
    than they did."""

    def __init__(self, diary: Diary, now: Instant) -> None:
        self.gone = {product.id for product in diary.random.sample(PRODUCTS, 4)}
        self.reduced: set[str] = set()
        self._prices: dict[str, Decimal] = {}
        self._diary = diary
        self._rest(now)

    def priced(self, product: Product) -> Product:
        """The product at the price of the day."""
        price = self._prices.get(product.id)
        return product if price is None else msgspec.structs.replace(product, price=price)

    @property
    def missing(self) -> list[Product]:
        """What cannot be had now."""
        return [product for product in PRODUCTS if product.id in self.gone]

    @property
    def there(self) -> list[Product]:
        """What can be had, at the prices of the day."""
        return [self.priced(product) for product in PRODUCTS if product.id not in self.gone]

    def _rest(self, at: Instant) -> None:
        self._diary.later(at, self._diary.between(_RESTS, 3 * _RESTS), self._change)

    def _change(self, at: Instant) -> list[Deed]:
        """Something comes back, or costs less."""
        self._rest(at)
        return [self._refill()] if self._diary.chance(0.5) else [self._reduce(at)]

    def _refill(self) -> Deed:
        """One product comes back, and another runs out."""
        random = self._diary.random
        product = random.choice(self.missing)
        self.gone.remove(product.id)
        self.gone.add(random.choice([one for one in self.there if one.id != product.id]).id)
        return self._diary.track(None, "Back In Stock", **self.priced(product).properties)

    def _reduce(self, at: Instant) -> Deed:
        """One product costs a fifth less for some days."""
        product = self._diary.random.choice([one for one in PRODUCTS if one.price >= _DEAR])
        price = (product.price * 8 / 10).quantize(Decimal("0.10"))
        self._prices[product.id] = price
        self.reduced.add(product.id)
        self._diary.later(at, self._diary.between(2 * DAY, 4 * DAY), lambda _: self._raise(product))
        properties = self.priced(product).properties | {"old_price": float(product.price)}
        return self._diary.track(None, "Price Dropped", **properties)

    def _raise(self, product: Product) -> list[Deed]:
        self._prices.pop(product.id, None)
        self.reduced.discard(product.id)
        return []
