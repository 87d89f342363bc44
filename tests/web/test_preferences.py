"""The pages that links of messages lead to: over a real store, without a browser."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import pytest

from segue.api import Event, Inbound, Request, Response
from segue.api.values import DAY
from segue.customers.reach import ChannelReach, Reach
from segue.messages.links import Tracking
from segue.messages.tokens import Signer
from segue.runtime.busy import Busy
from segue.runtime.inbound import take_inbound
from segue.runtime.ingest import ingest
from segue.runtime.links import Links
from segue.runtime.preferences import Choices, look, mask
from segue.store.consent import load_statements
from segue.store.customers import load_customers
from segue.store.database import Store
from segue.store.errors import StoreUnavailable
from segue.web.endpoints import Endpoint
from segue.web.preferences import CustomerPages
from segue.web.wording import load_words
from tests.runtime.stage import Stage

RULES = """
event paid
event asked
event subscribed
  channel text
when paid send email "hello"
rule digest
  when asked
  send email "digest" as informational
rule ask
  when subscribed where channel = "email"
  send email "please_confirm" as transactional
"""
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Site:
    """A shop that has sent one customer a message, and the pages of its links."""

    def __init__(
        self, store: Store, *, name: str = "Shop", who: Any = None, followed: Tracking | None = None, **traits: Any
    ) -> None:
        self.stage = Stage(store, RULES)
        reach = Reach(
            {
                "email": ChannelReach("email"),
                "sms": ChannelReach("phone", consent="opt-in"),
                "push": ChannelReach("push_token"),
            }
        )
        self.stage.running = _with_reach(self.stage, reach)
        self.refusing: Exception | None = None
        self.taken: list[Event] = []
        self.links = Links(Signer(["a key of sixteen and more"]), "https://shop.example", followed)
        pages = CustomerPages(
            self.links, self._look, self._take, load_words(), lambda: self.stage.now, name=name, locale="en"
        )
        self._endpoints = {(method, one.path[:3]): one for one in pages.endpoints() for method in one.methods}
        known = {"email": "ann.k@example.com", "phone": "+358401234567", **traits}
        named = {"user_id": "ann"} if who is None else who
        paid = Event(message_id="paid", timestamp=self.stage.now, source="shop", name="paid", traits=known, **named)
        self.stage.store.apply(lambda tx: ingest(tx, self.stage.running, [paid], self.stage.now))
        (claimed,), _ = self.stage.claim()
        self.key = claimed.key

    async def _look(self, key: str) -> Choices | None:
        return self.stage.store.apply(lambda tx: look(tx, self.stage.running, key, self.stage.now))

    async def _take(self, events: Sequence[Event]) -> None:
        if self.refusing is not None:
            raise self.refusing
        self.taken += events
        self.stage.store.apply(lambda tx: ingest(tx, self.stage.running, events, self.stage.now))

    def endpoint(self, method: str, path: str) -> Endpoint:
        return self._endpoints[method, path[:3]]

    async def get(self, path: str, **query: str) -> Response:
        return await self.endpoint("GET", path).answer(Request("GET", path, {}, query, b""))

    async def post(self, path: str, form: Mapping[str, Any] | bytes, kind: str = "", **headers: str) -> Response:
        self.stage.later(1000)
        body = form if isinstance(form, bytes) else urlencode(form, doseq=True).encode()
        head = {"content-type": kind or "application/x-www-form-urlencoded", **headers}
        return await self.endpoint("POST", path).answer(Request("POST", path, head, {}, body, "192.0.2.1"))

    @property
    def preferences(self) -> str:
        return self.links.path("preferences", self.key)

    @property
    def unsubscribe(self) -> str:
        return self.links.path("unsubscribe", self.key)

    def standing(self) -> dict[str, str | None]:
        row = self.stage.store.apply(lambda tx: load_customers(tx, [1]))[1]
        return {name: stand.state for name, stand in row.consent.items()}

    def traits(self) -> dict[str, Any]:
        return self.stage.store.apply(lambda tx: load_customers(tx, [1]))[1].traits


def _with_reach(stage: Stage, reach: Reach) -> Any:
    import msgspec

    return msgspec.structs.replace(stage.running, reach=reach)


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store)


FOLLOWED = Tracking(url="https://go.shop.example")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("settings", "trait", "shown"),
    [
        (None, None, None),
        (Tracking(), None, None),
        (Tracking(url="https://go.shop.example", clicks=False, opens=False), None, None),
        (FOLLOWED, None, True),
        (FOLLOWED, False, False),
        (Tracking(url="https://go.shop.example", asked=True), None, False),
        (Tracking(url="https://go.shop.example", asked=True), True, True),
    ],
)
async def test_whether_links_are_followed_is_shown_where_they_can_be(
    store: Store, settings: Tracking | None, trait: bool | None, shown: bool | None
) -> None:
    traits: dict[str, Any] = {} if trait is None else {"tracking": trait}
    site = Site(store, followed=settings, **traits)
    assert switches(await site.get(site.preferences)).get("tracking") == shown


@pytest.mark.asyncio
async def test_who_is_not_to_be_followed_says_so_and_takes_it_back(store: Store) -> None:
    site = Site(store, followed=FOLLOWED)
    as_shown = {"shown": ["tracking"], "yes": ["tracking"], "do": "save"}
    await site.post(site.preferences, as_shown)
    assert "tracking" not in site.traits()
    await site.post(site.preferences, as_shown | {"yes": []})
    assert site.traits()["tracking"] is False
    assert site.standing() == {}  # nothing else was said
    await site.post(site.preferences, as_shown)
    assert site.traits()["tracking"] is True
    # A form of the time before the switch was there, and one for a shop that follows nobody, say nothing of it.
    await site.post(site.preferences, {"do": "save"})
    assert site.traits()["tracking"] is True


def text_of(answer: Response) -> str:
    return answer.body.decode()


def switches(answer: Response) -> dict[str, bool]:
    """Which switches the page shows, and whether each is on."""
    found = re.findall(r'<input class="switch"[^>]* value="([\w.]+)"( checked)?', text_of(answer))
    return {name: bool(on) for name, on in found}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "who",
    [{"user_id": "ann"}, {"anonymous_id": "d1"}, {"ids": {"loyalty": "F:1"}}, {}],
    ids=["user id", "device", "loyalty card", "addresses only"],
)
async def test_what_is_chosen_holds_for_whoever_got_the_message_however_the_shop_knows_them(
    store: Store, who: dict[str, Any]
) -> None:
    site = Site(store, who=who)
    assert (await site.post(site.unsubscribe, ONE_CLICK)).status == 200
    assert site.standing() == {"email/promotional": "withdrawn", "email/informational": "withdrawn"}
    assert store.apply(lambda tx: tx.rows("select id from customer")) == [(1,)]


# What the page shows


@pytest.mark.asyncio
async def test_the_page_shows_the_kinds_that_are_sent_by_the_ways_that_reach_the_customer(site: Site) -> None:
    answer = await site.get(site.preferences)
    assert answer.status == 200
    assert switches(answer) == {
        "promotional.email": True,
        "promotional.sms": False,  # opt-in, and nothing was said
        "informational.email": True,
        "informational.sms": False,
    }
    assert '<html lang="en">' in text_of(answer)


@pytest.mark.asyncio
async def test_the_page_speaks_the_customer_s_language(store: Store) -> None:
    site = Site(store, locale="de-AT")
    assert '<html lang="de">' in text_of(await site.get(site.preferences))


@pytest.mark.asyncio
async def test_the_page_tells_nothing_of_the_customer_but_masked_addresses(store: Store) -> None:
    site = Site(store, first_name="<b>Ann</b>", city="Helsinki", push_token="tok-1234567")
    text = text_of(await site.get(site.preferences))
    for secret in ("ann.k", "Ann", "Helsinki", "358401234567", "tok-1234567", "u:ann"):
        assert secret not in text
    assert "a•••@example.com" in text
    assert "•••67" in text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ann@example.com", "a•••@example.com"),
        ("a@b.example", "a•••@b.example"),
        ("@b.example", "•••@b.example"),
        ("+358401234567", "•••67"),
        ("123", "•••"),
    ],
)
def test_a_masked_address_is_known_again_only_by_whoever_has_it(address: str, shown: str) -> None:
    assert mask(address) == shown


@pytest.mark.asyncio
async def test_no_page_may_load_run_frame_or_leak_anything(site: Site) -> None:
    for path in (site.preferences, site.unsubscribe, site.links.path("confirm", site.key), "/p/forged"):
        answer = await site.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        text = text_of(answer)
        assert "<script" not in text
        assert " src=" not in text
        assert " style=" not in text
        assert "http:" not in text


@pytest.mark.asyncio
async def test_the_shop_s_name_is_text_and_no_markup(store: Store) -> None:
    site = Site(store, name='<img src=x onerror="alert(1)">')
    text = text_of(await site.get(site.preferences))
    assert "<img" not in text
    assert html.escape("<img src=x") in text


@pytest.mark.asyncio
async def test_opening_a_link_changes_nothing_however_often(site: Site) -> None:
    for path in (site.preferences, site.unsubscribe, site.links.path("confirm", site.key)):
        for query in ({}, {"List-Unsubscribe": "One-Click"}, {"do": "none"}, {"confirm": "yes"}):
            assert (await site.get(path, **query)).status == 200
    assert site.taken == []


# Choosing


@pytest.mark.asyncio
async def test_what_is_saved_is_what_changed_and_no_more(site: Site) -> None:
    shown = ["promotional.email", "promotional.sms", "informational.email", "informational.sms"]
    form = {"shown": shown, "yes": ["promotional.sms", "informational.email"], "do": "save"}
    answer = await site.post(site.preferences, form)
    assert (answer.status, answer.headers["location"]) == (303, "?saved=yes")
    assert site.standing() == {"email/promotional": "withdrawn", "sms/promotional": "granted"}
    assert "Saved" in text_of(await site.get(site.preferences, saved="yes"))
    again = await site.post(site.preferences, form)
    assert again.headers["location"] == "?saved=no"
    assert len(site.taken) == 2


@pytest.mark.asyncio
async def test_a_choice_goes_into_the_ledger_with_its_wording_and_proof(site: Site) -> None:
    await site.post(
        site.preferences,
        {"shown": "promotional.sms", "yes": "promotional.sms"},
        **{"user-agent": "A browser", "x-forwarded-for": "203.0.113.9, 10.0.0.1"},
    )
    (one,) = site.stage.store.apply(lambda tx: load_statements(tx, 1))
    assert (one.state, one.basis, one.source) == ("granted", "consent", "preference page")
    assert re.fullmatch(r"page en [0-9a-f]{8}", one.wording)
    assert one.proof.startswith(f"POST /p/ by the link of message {site.key}; address ")
    assert "203.0.113.9" not in one.proof
    assert "browser" in one.proof
    assert one.event.startswith("page:")


@pytest.mark.asyncio
async def test_unsubscribing_from_everything_withdraws_all_marketing(site: Site) -> None:
    await site.post(site.preferences, {"do": "none", "shown": "promotional.email", "yes": "promotional.email"})
    assert set(site.standing().values()) == {"withdrawn"}
    assert len(site.standing()) == 6
    assert not any(switches(await site.get(site.preferences)).values())


@pytest.mark.asyncio
async def test_channel_and_frequency_become_traits_and_can_be_taken_back(site: Site) -> None:
    wishes = {"preferred.promotional": "sms", "frequency.promotional": "weekly"}
    await site.post(site.preferences, wishes)
    assert site.traits()["preferred_channel_promotional"] == "sms"
    assert site.traits()["frequency_promotional"] == "weekly"
    assert '<option value="weekly" selected>' in text_of(await site.get(site.preferences))
    await site.post(site.preferences, {"preferred.promotional": "", "frequency.promotional": ""})
    assert "frequency_promotional" not in site.traits()
    assert "preferred_channel_promotional" not in site.traits()


@pytest.mark.asyncio
async def test_fields_that_the_page_does_not_have_change_nothing(site: Site) -> None:
    answer = await site.post(
        site.preferences,
        {
            "shown": ["transactional.email", "promotional.push", "promotional.fax", "x'; drop table consent; --"],
            "yes": ["transactional.email"],
            "frequency.promotional": "hourly",
            "preferred.promotional": "fax",
            "frequency.transactional": "daily",
            "customer": "bob",
        },
    )
    assert answer.headers["location"] == "?saved=no"
    assert site.taken == []


@pytest.mark.asyncio
async def test_a_number_that_said_stop_is_shown_as_such_and_cannot_be_switched_on(site: Site) -> None:
    words = Inbound(id="1", address="+358401234567", text="STOP", at=site.stage.now)
    site.stage.store.apply(lambda tx: take_inbound(tx, site.stage.running, "sms", [words], site.stage.now))
    assert "Answer START" in text_of(await site.get(site.preferences))
    await site.post(site.preferences, {"shown": "promotional.sms", "yes": "promotional.sms"})
    assert site.taken == []


# One click


@pytest.mark.asyncio
async def test_one_click_withdraws_marketing_by_that_channel_once(site: Site) -> None:
    for _ in range(3):
        assert (await site.post(site.unsubscribe, ONE_CLICK)).status == 200
    assert site.standing() == {"email/promotional": "withdrawn", "email/informational": "withdrawn"}
    assert len(site.taken) == 1


@pytest.mark.asyncio
async def test_one_click_may_come_in_parts(site: Site) -> None:
    body = b'--xyz\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--xyz--\r\n'
    assert (await site.post(site.unsubscribe, body, 'multipart/form-data; boundary="xyz"')).status == 200
    assert site.standing()["email/promotional"] == "withdrawn"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ""),
        (b"List-Unsubscribe=one", ""),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b'{"List-Unsubscribe": "One-Click"}', "application/json"),
        (b"\xff\xfe", ""),
        (b"&".join(b"a=1" for _ in range(4000)), ""),
        (b"--x\r\n\r\n--x--", "multipart/form-data"),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"\x00" * 5000, 'multipart/form-data; boundary="x"'),
        (b"List-Unsubscribe=One-Click", "multipart/form-data\r\nx: y"),
    ],
)
async def test_any_other_body_unsubscribes_nobody(site: Site, body: bytes, kind: str) -> None:
    assert (await site.post(site.unsubscribe, body, kind)).status == 400
    assert site.taken == []


@pytest.mark.asyncio
async def test_who_no_longer_has_the_address_is_unsubscribed_all_the_same(site: Site) -> None:
    site.stage.arrive(None, traits={"email": None})
    assert (await site.post(site.unsubscribe, ONE_CLICK)).status == 200
    assert site.standing()["email/promotional"] == "withdrawn"


def test_a_body_is_read_only_so_far(site: Site) -> None:
    for path in (site.preferences, site.unsubscribe, site.links.path("confirm", site.key)):
        assert site.endpoint("POST", path).most == 16_384
        assert site.endpoint("GET", path).most == 0


# Confirming


async def asked_to_confirm(site: Site) -> str:
    site.stage.later(1)
    site.stage.arrive("subscribed", channel="email", confirmed=False, traits={})
    (claimed,), _ = site.stage.claim()
    return site.links.path("confirm", claimed.key)


@pytest.mark.asyncio
async def test_a_subscription_is_confirmed_by_a_press_of_the_button(site: Site) -> None:
    await site.post(site.unsubscribe, ONE_CLICK)
    path = await asked_to_confirm(site)
    assert "Please confirm" in text_of(await site.get(path))
    assert set(site.standing().values()) == {"pending"}
    assert "confirmed" in text_of(await site.post(path, {"confirm": "yes"}))
    assert site.standing() == {"email/promotional": "granted", "email/informational": "granted"}
    assert {one.name for one in site.taken[-2:]} == {"subscription_confirmed"}


@pytest.mark.asyncio
async def test_an_old_confirmation_does_not_undo_a_withdrawal_that_came_after_it(site: Site) -> None:
    path = await asked_to_confirm(site)
    await site.post(path, {"confirm": "yes"})
    await site.post(site.unsubscribe, ONE_CLICK)
    before = len(site.taken)
    assert "Nothing to confirm" in text_of(await site.post(path, {"confirm": "yes"}))
    assert len(site.taken) == before
    assert site.standing()["email/promotional"] == "withdrawn"


@pytest.mark.asyncio
async def test_a_link_sent_to_one_address_confirms_no_other(site: Site) -> None:
    path = await asked_to_confirm(site)
    site.stage.arrive(None, traits={"email": "mallory@example.com"})
    assert "Nothing to confirm" in text_of(await site.post(path, {"confirm": "yes"}))
    assert set(site.standing().values()) == {"pending"}


@pytest.mark.asyncio
async def test_a_confirmation_says_nothing_of_another_channel(site: Site) -> None:
    path = await asked_to_confirm(site)
    site.stage.later(1)
    site.stage.arrive("subscribed", channel="sms", confirmed=False, traits={})
    await site.post(path, {"confirm": "yes"})
    assert site.standing()["sms/promotional"] == "pending"


# Hostile links, and bad days


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("prefix", ["/p/", "/u/", "/c/"])
async def test_a_link_that_is_forged_altered_or_for_something_else_opens_nothing(
    site: Site, method: str, prefix: str
) -> None:
    good = site.links.path("preferences" if prefix != "/p/" else "unsubscribe", site.key).rpartition("/")[2]
    stranger = Links(Signer(["somebody else's key"]), "").path("preferences", site.key).rpartition("/")[2]
    unknown = site.links.path("preferences", "ff" * 16).rpartition("/")[2]
    for token in (
        good,
        stranger,
        unknown,
        good[:-1],
        f"{good}=",
        "." * 5000,
        "%00",
        "ünïcode",
        "x",
        "https:evil.example",
    ):
        path = prefix + token
        answer = await (
            site.get(path) if method == "GET" else site.post(path, {**ONE_CLICK, "do": "none", "confirm": "yes"})
        )
        assert answer.status == 404
        assert "This link does not work" in text_of(answer)
        assert "location" not in answer.headers
    assert site.taken == []


@pytest.mark.asyncio
@pytest.mark.parametrize("error", [Busy(1.0), StoreUnavailable("the disk is full")])
async def test_what_cannot_be_kept_is_not_said_to_be_saved(site: Site, error: Exception) -> None:
    site.refusing = error
    for path, form in ((site.unsubscribe, ONE_CLICK), (site.preferences, {"do": "none"})):
        answer = await site.post(path, form)
        assert answer.status == 503
        assert answer.headers["retry-after"] == "60"


@pytest.mark.asyncio
async def test_a_link_still_works_after_the_customer_turned_out_to_be_another(site: Site) -> None:
    stage = site.stage
    device = Event(
        message_id="d1",
        timestamp=stage.now,
        source="shop",
        name="paid",
        anonymous_id="dev",
        traits={"email": "dev@example.com"},
    )
    stage.store.apply(lambda tx: ingest(tx, stage.running, [device], stage.now))
    (claimed,), _ = stage.claim()
    same = Event(message_id="d2", timestamp=stage.now, source="shop", user_id="ann", anonymous_id="dev")
    stage.store.apply(lambda tx: ingest(tx, stage.running, [same], stage.now))
    stage.later(DAY)
    assert (await site.post(site.links.path("unsubscribe", claimed.key), ONE_CLICK)).status == 200
    assert site.standing()["email/promotional"] == "withdrawn"
