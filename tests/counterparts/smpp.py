"""A message centre: the server of npm's ``smpp``, in a process of its own, that behaves as the number asks.

    with SmppCentre(folder) as centre:
        ...                                    # send to 127.0.0.1, centre.port, as "shop" with "secret"
        centre.wait_for("submit", 2)

What it sees it writes as lines of JSON. A number's last two digits say what becomes of a text to it:

    01  taken, and reported as delivered by a text in the receipt (the id in decimal)
    02  taken, and reported as failed by parameters
    03  taken; the customer answers STOP         04  taken; the customer answers in two parts of UCS-2
    58  throttled once, and then taken           59  the second part is throttled once
    11  an invalid number                        97  the connection is cut before the answer
    98  no answer at all                         others  taken
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final, Self

from tests.counterparts.npm import install
from tests.counterparts.process import CounterpartFailed, Program, free_port

__all__ = ["SmppCentre"]

_SCRIPT: Final = """
const smpp = require('smpp');
const say = (what, more) => console.log(JSON.stringify({what, ...more}));
let next = 0xab0000;
const seen = new Set();

const once = (name) => !seen.has(name) && seen.add(name);
const deliver = (session, fields) => session.deliver_sm(fields, (pdu) => say('ack', {status: pdu.command_status}));

function follow(session, pdu, id, ending) {
    const back = {source_addr: pdu.destination_addr, destination_addr: pdu.source_addr};
    if (!pdu.registered_delivery) return;
    if (ending === '01') {
        const text = `id:${parseInt(id, 16)} sub:001 dlvrd:001 submit date:2611252155 done date:2611252156 ` +
            'stat:DELIVRD err:000 text:hello';
        deliver(session, {...back, esm_class: 4, short_message: text});
    } else if (ending === '02') {
        deliver(session, {...back, esm_class: 4, receipted_message_id: id, message_state: 5,
            network_error_code: Buffer.from([3, 0, 1])});
    } else if (ending === '03') {
        deliver(session, {...back, short_message: 'STOP'});
    } else if (ending === '04') {
        ['Ваша корзина ', 'не нужна 🛒'].forEach((message, n) => deliver(session, {...back, data_coding: 8,
            short_message: {udh: Buffer.from([5, 0, 3, 77, 2, n + 1]), message}}));
    }
}

smpp.createServer({}, (session) => {
    say('open', {});
    session.on('error', (error) => say('error', {error: String(error)}));
    session.on('close', () => say('close', {}));
    session.on('bind_transceiver', (pdu) => {
        const known = pdu.system_id === 'shop' && pdu.password === 'secret';
        say('bind', {system_id: pdu.system_id, version: pdu.interface_version, known});
        session.send(pdu.response({command_status: known ? 0 : smpp.ESME_RINVPASWD, system_id: 'centre'}));
    });
    session.on('enquire_link', (pdu) => { say('enquire', {}); session.send(pdu.response()); });
    session.on('unbind', (pdu) => { say('unbind', {}); session.send(pdu.response()); session.close(); });
    session.on('submit_sm', (pdu) => {
        const ending = pdu.destination_addr.slice(-2);
        const part = pdu.short_message.udh ? pdu.short_message.udh[0].slice(-1)[0] : 0;
        const payload = pdu.message_payload;
        say('submit', {to: pdu.destination_addr, from: pdu.source_addr, ton: pdu.source_addr_ton,
            coding: pdu.data_coding, text: payload ? payload.message : pdu.short_message.message, part,
            total: pdu.sar_total_segments || 0, place: pdu.sar_segment_seqnum || 0, receipt: pdu.registered_delivery});
        const answer = (command_status, message_id) => session.send(pdu.response({command_status, message_id}));
        if (ending === '97') return session.destroy();
        if (ending === '98') return;
        if (ending === '11') return answer(smpp.ESME_RINVDSTADR);
        if (ending === '58' && once(pdu.destination_addr)) return answer(smpp.ESME_RTHROTTLED);
        if (ending === '59' && part === 2 && once(pdu.destination_addr)) return answer(smpp.ESME_RTHROTTLED);
        const id = (++next).toString(16);
        answer(0, id);
        follow(session, pdu, id, ending);
    });
}).listen(Number(process.argv[2]), '127.0.0.1', () => say('listening', {}));
"""


class SmppCentre:
    """The message centre on a free port of 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._program: Program | None = None
        self.port = 0

    def start(self) -> None:
        """Listen, on the same port as before if it was started before."""
        self.port = self.port or free_port()
        command = ["node", str(self.folder / "drive.js"), str(self.port)]
        self._program = Program(command, self.folder / "centre.log")
        self._program.wait_for_port(self.port)

    def stop(self) -> None:
        if self._program is not None:
            self._program.kill()

    def seen(self, what: str) -> list[dict[str, Any]]:
        """All of one kind that it saw so far."""
        log = self.folder / "centre.log"
        text = log.read_text("utf-8") if log.exists() else ""
        lines = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines() if line.startswith("{")]
        return [line for line in lines if line["what"] == what]

    def wait_for(self, what: str, count: int, within: float = 20.0) -> list[dict[str, Any]]:
        """All of one kind, once there are so many."""
        deadline = time.monotonic() + within
        while len(found := self.seen(what)) < count:
            if time.monotonic() > deadline:
                raise CounterpartFailed(f"{len(found)} of {count} {what} after {within:g} s")
            time.sleep(0.02)
        return found

    def __enter__(self) -> Self:
        install(self.folder, _SCRIPT, "smpp@0.5")
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
