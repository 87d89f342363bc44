"""What the application answers, and when."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from segue.api import Callback, Inbound, Instant, Received, Rejection, Report, Request, Response
from segue.runtime.busy import Busy
from segue.store.errors import StoreUnavailable
from segue.web.app import create_app
from segue.web.ingestion import MOST_EVENTS
from tests.web.served import NOW, Served, Till, serving, till

pytestmark = pytest.mark.asyncio


async def test_a_source_s_answer_goes_out_after_its_events_are_committed() -> None:
    async with serving(till()) as served:
        served.gate = asyncio.Event()
        asked = asyncio.create_task(served.post("/till", ["ordered"]))
        await asyncio.sleep(0.2)
        assert not asked.done()
        served.gate.set()
        answer = await asked
        assert (answer.status, answer.body) == (200, b"thanks")
        assert answer.headers["content-type"] == "text/plain"
        ((source, (event,)),) = served.accepted
        assert (source, event.name, event.timestamp) == ("till", "ordered", NOW)


@pytest.mark.parametrize(
    ("failure", "retry_after"),
    [
        (Busy(2.2), "3"),
        (Busy(0.0), "1"),
        (Busy(float("inf")), "60"),
        (StoreUnavailable("disk is full"), "5"),
        (RuntimeError("nobody thought of this"), "5"),
    ],
)
async def test_without_a_commit_there_is_no_acknowledgement(failure: Exception, retry_after: str) -> None:
    async with serving(till()) as served:
        served.failure = failure
        answer = await served.post("/till", ["ordered"])
        assert answer.status == 503
        assert answer.headers["retry-after"] == retry_after
        assert answer.json()["code"] == "unavailable"
        assert "nobody thought" not in answer.body.decode()
        assert served.accepted == []
        assert served.metric('segue_events_accepted_total{source="till"}') == 0
        served.failure = None
        assert (await served.post("/till", ["ordered"])).status == 200


async def test_what_is_refused_is_handed_on_with_its_reason_and_as_it_came() -> None:
    class Refusing(Till):
        def receive(self, request: Request, now: Instant) -> Received:
            return Received((), Response(401, b'{"success": false, "message": "The signature is wrong."}'))

    async with serving(till(Refusing())) as served:
        assert (await served.post("/till", b"{no json")).status == 401
        assert (await served.post("/till", b"x" * 2_000_000)).status == 413
        (first, second) = served.refused
        assert (first[0], first[1].raw) == ("till", b"{no json")
        assert first[1].reason == "The signature is wrong."
        assert (second[0], second[1].raw) == ("till", b"")
        assert "large" in second[1].reason or "bytes" in second[1].reason


async def test_a_request_that_is_taken_hands_on_only_what_was_refused_in_it() -> None:
    bad = Rejection(place="batch[1]", reason="`event` is missing", raw=b"{}")

    class Partial(Till):
        def receive(self, request: Request, now: Instant) -> Received:
            return Received((), Response(200), (bad,))

    async with serving(till(Partial())) as served:
        assert (await served.post("/till", [])).status == 200
        assert served.refused == [("till", bad)]
        assert served.metric('segue_events_rejected_total{source="till"}') == 1


class Raising(Till):
    def receive(self, request: Request, now: Instant) -> Received:
        raise RuntimeError("a bug in the plugin")


class Junk(Till):
    def receive(self, request: Request, now: Instant) -> Received:
        answer: Any = {"events": []}
        return answer  # type: ignore[no-any-return]


class Unsendable(Till):
    def receive(self, request: Request, now: Instant) -> Received:
        return Received((), Response(200, b"", {"x-note": "two\r\nset-cookie: lines"}))


class Deep(Till):
    def receive(self, request: Request, now: Instant) -> Received:
        return self.receive(request, now)


async def test_a_call_that_brings_more_events_than_may_wait_together_is_refused_whole() -> None:
    async with serving(till()) as served:
        assert (await served.post("/till", [str(number) for number in range(MOST_EVENTS)])).status == 200
        served.accepted.clear()
        answer = await served.post("/till", [str(number) for number in range(MOST_EVENTS + 1)])
        assert (answer.status, answer.json()["code"], served.accepted) == (413, "too_large", [])
        ((source, refused),) = served.refused
        assert (source, refused.reason) == ("till", answer.json()["message"])
        assert "20,001 events" in refused.reason
        assert served.metric('segue_events_rejected_total{source="till"}') == 1


async def test_an_event_under_a_message_id_of_another_source_is_refused_and_the_others_are_taken() -> None:
    async with serving(till(), till(name="shop", routes=("POST /shop",))) as served:
        assert (await served.post("/till", ["shop/orders/7", "till/orders/7", "shop"])).status == 200
        assert [event.message_id for event in served.events] == ["till/orders/7", "shop"]
        ((source, refused),) = served.refused
        assert (source, refused.place) == ("till", "shop/orders/7")
        assert "another source" in refused.reason
        assert (await served.post("/shop", ["shop/orders/7"])).status == 200
        assert served.events[-1].message_id == "shop/orders/7"


@pytest.mark.parametrize(("source", "status"), [(Raising(), 500), (Junk(), 500), (Unsendable(), 500), (Deep(), 400)])
async def test_a_source_that_breaks_harms_only_itself(source: Till, status: int) -> None:
    async with serving(till(source, name="broken", routes=("POST /broken",)), till()) as served:
        answer = await served.post("/broken", [])
        assert answer.status == status
        assert answer.json()["success"] is False
        assert "set-cookie" not in answer.headers
        assert (await served.post("/till", ["ordered"])).status == 200
        assert served.metric(f'segue_http_requests_total{{route="/broken",status="{status}"}}') == 1


async def test_gzip_is_undone_before_the_source_sees_the_body() -> None:
    async with serving(till()) as served:
        members = gzip.compress(b'["one",') + gzip.compress(b'"two"]')
        answer = await served.post("/till", members, {"content-encoding": "gzip"})
        assert answer.status == 200
        assert [event.name for event in served.events] == ["one", "two"]


async def test_a_chunked_body_is_put_together() -> None:
    async with serving(till()) as served:
        chunks = b'5\r\n["one\r\n2\r\n"]\r\n0\r\n\r\n'
        answer = await served.post("/till", chunks, {"transfer-encoding": "chunked"})
        assert answer.status == 200
        assert [event.name for event in served.events] == ["one"]


async def test_a_body_counts_by_its_bytes_as_sent_and_inflated() -> None:
    async with serving(till(body=100)) as served:
        fits = b'["' + b"x" * 96 + b'"]'
        assert (await served.post("/till", fits)).status == 200
        assert (await served.post("/till", fits + b" ")).status == 413
        chunked = b"65\r\n" + fits + b" \r\n0\r\n\r\n"
        assert (await served.post("/till", chunked, {"transfer-encoding": "chunked"})).status == 413
        assert (await served.post("/till", gzip.compress(fits), {"content-encoding": "gzip"})).status == 200
        assert (await served.post("/till", gzip.compress(fits + b" "), {"content-encoding": "gzip"})).status == 413


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip, gzip", "chunked", "*"])
async def test_an_encoding_other_than_gzip_is_refused(encoding: str) -> None:
    async with serving(till()) as served:
        answer = await served.post("/till", b"[]", {"content-encoding": encoding})
        assert answer.status == 415
        assert answer.headers["accept-encoding"] == "gzip"


async def test_a_client_that_hangs_up_in_the_middle_leaves_nothing_behind() -> None:
    async with serving(till()) as served:
        head = b"POST /till HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n"
        assert await served.raw(head + b'["one"', hang_up=True) == []
        assert served.accepted == []
        assert (await served.post("/till", ["two"])).status == 200


async def test_an_unknown_path_is_told_what_exists() -> None:
    async with serving(till()) as served:
        answer = await served.ask("GET", "/nowhere")
        assert answer.status == 404
        assert answer.json()["paths"] == [
            "GET /callbacks/{channel}",
            "GET /healthz",
            "GET /metrics",
            "POST /callbacks/{channel}",
            "POST /till",
        ]
        assert (await served.post("/till/", [])).status == 404
        assert served.metric('segue_http_requests_total{route="other",status="404"}') == 2


async def test_another_method_is_told_which_exist() -> None:
    async with serving(till()) as served:
        answer = await served.ask("GET", "/till")
        assert answer.status == 405
        assert answer.headers["allow"] == "OPTIONS, POST"
        assert "POST" in answer.json()["message"]
        assert (await served.ask("DELETE", "/healthz")).status == 405


async def test_a_browser_may_call_only_where_the_source_says_so() -> None:
    async with serving(till(cors=True), till(name="inner", routes=("POST /inner",))) as served:
        preflight = await served.ask("OPTIONS", "/till", headers={"origin": "https://shop.example"})
        assert preflight.status == 204
        assert preflight.headers["access-control-allow-origin"] == "*"
        assert preflight.headers["access-control-allow-methods"] == "OPTIONS, POST"
        assert "Authorization" in preflight.headers["access-control-allow-headers"]
        assert (await served.post("/till", [])).headers["access-control-allow-origin"] == "*"
        served.failure = Busy(1)
        assert (await served.post("/till", ["x"])).headers["access-control-allow-origin"] == "*"
        assert (await served.post("/till", b"", {"content-encoding": "br"})).headers[
            "access-control-allow-origin"
        ] == "*"
        inner = await served.ask("OPTIONS", "/inner", headers={"origin": "https://shop.example"})
        assert inner.headers["allow"] == "OPTIONS, POST"
        assert "access-control-allow-origin" not in inner.headers


async def test_two_sources_on_one_route_are_an_error_that_names_both() -> None:
    async def accept(events: object, source: str) -> None: ...

    with pytest.raises(ValueError, match="POST /till is claimed by source till and by source other"):
        create_app(
            sources=[till(), till(name="other")],
            accept=accept,
            callbacks={},
            settle_callback=Served().settle,
            health=dict,
            metrics=bytes,
            now=lambda: NOW,
        )


async def test_a_route_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="is no route"):
        async with serving(till(routes=("/till",))):
            pass


async def test_a_route_may_hold_one_free_segment() -> None:
    async with serving(till(routes=("POST /shops/{shop}/till",))) as served:
        assert (await served.post("/shops/7/till", ["one"])).status == 200
        assert (await served.post("/shops/7/8/till", ["one"])).status == 404
        assert (await served.post("/shops/7%2F8/till", ["one"])).status == 404
        assert (await served.post("/shops//till", ["one"])).status == 404
        assert served.metric('segue_http_requests_total{route="/shops/{shop}/till",status="200"}') == 1


async def test_health_is_200_when_well_and_503_else() -> None:
    async with serving() as served:
        well = await served.ask("GET", "/healthz")
        assert (well.status, well.json()) == (200, {"status": "ok"})
        served.state = {"status": "store unavailable", "since": NOW}
        ill = await served.ask("GET", "/healthz")
        assert (ill.status, ill.json()["status"]) == (503, "store unavailable")


async def test_metrics_are_prometheus_text_and_count_what_came() -> None:
    async with serving(till()) as served:
        await served.post("/till", ["a", "b"])
        await served.post("/till", b"", {"content-encoding": "br"})
        answer = await served.ask("GET", "/metrics")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        text = answer.body.decode()
        assert 'segue_events_accepted_total{source="till"} 2.0' in text
        assert 'segue_events_rejected_total{source="till"} 1.0' in text
        assert 'segue_http_requests_total{route="/till",status="200"} 1.0' in text
        assert 'segue_http_requests_total{route="/till",status="415"} 1.0' in text


class TestCallbacks:
    async def test_what_a_provider_says_is_committed_and_then_answered(self) -> None:
        report = Report(id="r1", what="delivered", at=NOW, receipt="m1")

        async def understand(request: Request) -> Callback:
            assert (request.method, request.query, request.body) == ("POST", {"id": "1", "e": ""}, b"raw")
            return Callback(reports=(report,), response=Response(202, b"noted"))

        async with serving(callbacks={"sms": understand}) as served:
            answer = await served.ask("POST", "/callbacks/sms?id=1&e=", b"raw")
            assert (answer.status, answer.body) == (202, b"noted")
            assert served.settled == [("sms", Callback(reports=(report,), response=Response(202, b"noted")))]

    async def test_a_get_is_a_call_too(self) -> None:
        async def understand(request: Request) -> Callback:
            return Callback(inbound=(Inbound(id="1", address="+358", text=request.query["text"], at=NOW),))

        async with serving(callbacks={"sms": understand}) as served:
            assert (await served.ask("GET", "/callbacks/sms?text=STOP%20%C3%A4")).status == 200
            assert served.settled[0][1].inbound[0].text == "STOP ä"

    @pytest.mark.parametrize("failure", [Busy(1), StoreUnavailable("gone")])
    async def test_without_a_commit_the_provider_must_call_again(self, failure: Exception) -> None:
        async def understand(request: Request) -> Callback:
            return Callback(reports=(Report(id="r1", what="delivered", at=NOW),))

        async with serving(callbacks={"sms": understand}) as served:
            served.failure = failure
            answer = await served.ask("POST", "/callbacks/sms")
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) >= 1

    async def test_a_forged_call_is_answered_as_the_channel_says_and_commits_nothing(self) -> None:
        async def understand(request: Request) -> Callback:
            return Callback(response=Response(403, b"bad signature"))

        async with serving(callbacks={"sms": understand}) as served:
            served.failure = AssertionError("nothing is to be settled")
            answer = await served.ask("POST", "/callbacks/sms")
            assert (answer.status, answer.body) == (403, b"bad signature")

    async def test_a_channel_that_breaks_is_our_fault(self) -> None:
        async def raising(request: Request) -> Callback:
            raise KeyError("secret detail")

        async def junk(request: Request) -> Any:
            return "ok"

        async with serving(callbacks={"sms": raising, "push": junk}) as served:
            for channel in ("sms", "push"):
                answer = await served.ask("POST", f"/callbacks/{channel}", b"x")
                assert answer.status == 500
                assert b"secret" not in answer.body

    async def test_an_unknown_channel_is_told_which_exist(self) -> None:
        async def understand(request: Request) -> Callback:
            return Callback()

        async with serving(callbacks={"sms": understand}) as served:
            answer = await served.ask("POST", "/callbacks/fax")
            assert answer.status == 404
            assert "sms" in answer.json()["message"]
            assert (await served.ask("POST", "/callbacks/sms", b"x" * 1_000_001)).status == 413
