"""HAR, read back by haralyzer, of exchanges with real clients and of bytes made up."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import replace
from typing import Any

import brotli
import pytest
from haralyzer import HarParser
from hypothesis import given, settings
from hypothesis import strategies as st

from app import events
from app.events import Event
from app.exports.formats import har
from app.http import pairing
from app.http.bodies import decoded, text_of
from app.http.body import MAX_BODY
from app.http.cookies import set_by
from app.http.heads import read_head
from tests.app.exports.formats.conversations import Clock, Conversation

WEB = Conversation("127.0.0.1:40001", "127.0.0.1:9080", [], None, 1)


def log_of(found: list[Event]) -> dict[str, Any]:
    out = io.BytesIO()
    har.write(found, out)
    log: dict[str, Any] = json.loads(out.getvalue())["log"]
    parser = HarParser(json.loads(out.getvalue()))
    assert len(parser.har_data["entries"]) == len(log["entries"])
    return log


class Script(Clock):
    """Exchanges as a service records them."""

    def ask(self, method: str, target: str, fields: list[list[str]], body: bytes = b"") -> None:
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        self.add(events.DATA_RECEIVED, WEB, head.encode("latin-1") + body)
        self.note_request(method, target, fields, len(body))

    def note_request(self, method: str, target: str, fields: list[list[str]], size: int) -> None:
        detail = {"method": method, "target": target, "version": "HTTP/1.1", "fields": fields, "body": size}
        self.add(events.HTTP_REQUEST, WEB, **detail)

    def answer(self, status: int, fields: list[list[str]], body: bytes = b"") -> None:
        head = f"HTTP/1.1 {status} OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        self.add(events.DATA_SENT, WEB, head.encode("latin-1") + body)
        self.record_response(status, fields)

    def record_response(self, status: int, fields: list[list[str]]) -> None:
        self.add(events.HTTP_RESPONSE, WEB, status=status, reason="OK", fields=fields, body=0, seconds=0.002)


def length(body: bytes) -> list[str]:
    return ["Content-Length", str(len(body))]


def test_an_exchange_has_both_bodies_fields_query_and_cookies() -> None:
    script = Script()
    script.add(events.CONNECTION_OPENED, WEB)
    sent = b'{"item": "\xc3\xa4"}'
    asked = [["Host", "api.test:9080"], ["Content-Type", "application/json"], ["Cookie", "a=1; b=2"], length(sent)]
    script.ask("POST", "/orders?dry=1&x=", asked, sent)
    script.answer(
        201,
        [["Content-Type", "text/plain"], ["Set-Cookie", "s=9; Path=/"], ["Location", "/7"], length(b"made")],
        b"made",
    )
    (entry,) = log_of(script.made)["entries"]
    request, response = entry["request"], entry["response"]
    assert (request["method"], request["url"]) == ("POST", "http://api.test:9080/orders?dry=1&x=")
    assert request["queryString"] == [{"name": "dry", "value": "1"}, {"name": "x", "value": ""}]
    assert request["cookies"] == [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    assert request["postData"] == {"mimeType": "application/json", "text": '{"item": "ä"}'}
    assert (response["status"], response["content"]["text"]) == (201, "made")
    assert response["cookies"] == [{"name": "s", "value": "9", "path": "/", "httpOnly": False, "secure": False}]
    assert response["redirectURL"] == "/7"
    assert entry["time"] == 2.0
    assert entry["serverIPAddress"] == "127.0.0.1"


def test_pipelined_requests_keep_their_own_bodies() -> None:
    script = Script()
    head = b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d"
    script.add(events.DATA_RECEIVED, WEB, b"".join(head % (n, n) for n in range(3)))
    for n in range(3):
        script.note_request("POST", f"/{n}", [["Host", "x"]], 1)
    for n in range(3):
        script.answer(200, [["Content-Length", "2"]], b"r%d" % n)
    entries = log_of(script.made)["entries"]
    assert [e["request"]["postData"]["text"] for e in entries] == ["0", "1", "2"]
    assert [e["response"]["content"]["text"] for e in entries] == ["r0", "r1", "r2"]


def test_chunked_compressed_and_split_answers_are_put_together() -> None:
    script = Script()
    script.ask("GET", "/", [["Host", "x"]])
    packed = gzip.compress(b"hello " * 100)
    fields = [["Transfer-Encoding", "chunked"], ["Content-Encoding", "gzip"], ["Content-Type", "text/plain"]]
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(f"{n}: {v}\r\n".encode() for n, v in fields) + b"\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, packed[i : i + 1]) for i in range(len(packed))) + b"0\r\n\r\n"
    for i in range(0, len(chunks), 7):
        script.add(events.DATA_SENT, WEB, (head if i == 0 else b"") + chunks[i : i + 7])
    script.record_response(200, fields)
    (entry,) = log_of(script.made)["entries"]
    assert entry["response"]["content"]["text"] == "hello " * 100


def test_an_answer_that_ends_with_the_connection_is_whole() -> None:
    script = Script()
    script.ask("GET", "/", [["Host", "x"], ["Connection", "close"]])
    script.add(events.DATA_SENT, WEB, b"HTTP/1.1 200 OK\r\n\r\nall there is")
    script.record_response(200, [])
    script.add(events.CONNECTION_CLOSED, WEB, reason="closed by us")
    (entry,) = log_of(script.made)["entries"]
    assert entry["response"]["content"]["text"] == "all there is"


def test_a_head_request_has_no_answered_body() -> None:
    script = Script()
    script.ask("HEAD", "/", [["Host", "x"]])
    script.answer(200, [["Content-Length", "99"]])
    script.ask("GET", "/", [["Host", "x"]])
    script.answer(200, [["Content-Length", "2"]], b"ok")
    head, get = log_of(script.made)["entries"]
    assert "text" not in head["response"]["content"]
    assert get["response"]["content"]["text"] == "ok"


def test_a_body_that_is_no_text_is_base64_and_a_long_one_is_cut_with_its_size() -> None:
    script = Script()
    large = b"\xff" * (MAX_BODY + 10)
    script.ask("GET", "/", [["Host", "x"]])
    script.answer(200, [length(large)], large)
    (entry,) = log_of(script.made)["entries"]
    content = entry["response"]["content"]
    assert content["encoding"] == "base64"
    assert content["size"] == len(large)
    assert content["comment"] == f"cut: {MAX_BODY:,} of {len(large):,} bytes"


def test_a_request_without_an_answer_is_there() -> None:
    script = Script()
    script.ask("GET", "/hang", [["Host", "x"]])
    (entry,) = log_of(script.made)["entries"]
    assert entry["response"]["status"] == 0


def test_bytes_that_are_no_http_leave_the_exchange_without_bodies() -> None:
    script = Script()
    script.add(events.DATA_RECEIVED, WEB, b"\0\0rubbish\r\n\r\n")
    script.note_request("GET", "/", [["Host", "x"]], 0)
    script.answer(200, [["Content-Length", "2"]], b"ok")
    (entry,) = log_of(script.made)["entries"]
    assert entry["response"]["status"] == 200


def test_a_websocket_is_an_entry_with_its_messages() -> None:
    clock = Clock()
    clock.add(events.CONNECTION_OPENED, WEB)
    clock.add(events.WS_OPENED, WEB, target="/chat", fields=[["Host", "x:1"]])
    clock.add(events.WS_MESSAGE, WEB, "hé".encode(), opcode="text", direction="received")
    clock.add(events.WS_MESSAGE, WEB, b"\xff", opcode="binary", direction="sent")
    (entry,) = log_of(clock.made)["entries"]
    assert entry["request"]["url"] == "ws://x:1/chat"
    assert entry["response"]["status"] == 101
    assert [(m["type"], m["opcode"], m["data"]) for m in entry["_webSocketMessages"]] == [
        ("send", 1, "hé"),
        ("receive", 2, "/w=="),
    ]


def test_an_exchange_of_ours_with_somebody_else_has_its_bodies() -> None:
    script = Script()
    script.add(events.CONNECTION_OPENED, WEB, outgoing=True)
    script.note_request("POST", "/", [["Host", "x"]], 2)
    script.add(events.DATA_SENT, WEB, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
    script.add(events.DATA_RECEIVED, WEB, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
    script.record_response(200, [])
    (entry,) = log_of(script.made)["entries"]
    assert entry["request"]["postData"]["text"] == "hi"
    assert entry["response"]["content"]["text"] == "yes"


def test_nothing_is_an_empty_log() -> None:
    assert log_of([])["entries"] == []


@given(st.lists(st.tuples(st.sampled_from([5, 6, 10, 11, 12, 13, 7]), st.binary(max_size=80)), max_size=12))
@settings(max_examples=150)
def test_whatever_passed_the_log_is_sound(found: list[tuple[int, bytes]]) -> None:
    clock = Clock()
    for kind, payload in found:
        clock.add(kind, WEB, payload if kind in (5, 6, 13) else None)
    log_of(clock.made)


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("br", brotli.compress), ("identity", bytes), ("unknown", bytes)]
)
def test_codings_are_undone_within_a_bound(coding: str, pack: Any) -> None:
    fields = [["content-ENCODING", coding]]
    assert decoded(pack(b"x" * 100), fields) == (b"x" * 100, False)
    content, cut = decoded(pack(b"x" * 10_000_000), fields, 1000) if coding in ("gzip", "br") else (b"x" * 1000, True)
    assert (content, cut) == (b"x" * 1000, True)


@given(st.binary(max_size=50), st.sampled_from(["gzip", "br", "deflate", "gzip, br", "x"]))
def test_damaged_codings_do_no_harm(body: bytes, coding: str) -> None:
    decoded(body, [["Content-Encoding", coding]])


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"\xe4", "text/plain; charset=latin-1", "ä"),
        (b"\xe4", "text/plain", None),
        (b"x", "text/plain; charset=nonsense", None),
        (b"x", "text/plain; charset=hex", None),
    ],
)
def test_text_is_what_its_charset_says(body: bytes, kind: str, text: str | None) -> None:
    assert text_of(body, [["Content-Type", kind]]) == text


def test_c5_entries_stand_in_the_order_in_which_they_began() -> None:
    script, other = Script(), Conversation("127.0.0.1:40002", WEB.host, [], None, 2)
    script.ask("GET", "/slow", [["Host", "x"]])
    script.add(events.HTTP_REQUEST, other, method="GET", target="/fast", version="HTTP/1.1", fields=[["Host", "x"]])
    script.add(events.HTTP_RESPONSE, other, status=200, reason="OK", fields=[])
    script.answer(200, [length(b"x")], b"x")
    entries = log_of([replace(e, detail=e.detail | {"seconds": 0}) if e.kind == 11 else e for e in script.made])
    assert [e["request"]["url"] for e in entries["entries"]] == ["http://x/fast", "http://x/slow"]
    script.made[-1].detail.pop("seconds")
    assert [e["request"]["url"] for e in log_of(script.made)["entries"]] == ["http://x/slow", "http://x/fast"]


def test_c5_http_2_is_called_by_its_name_and_its_headers_have_no_size() -> None:
    script = Script()
    fields = [[":authority", "x.test"], ["cookie", "a=1"], ["cookie", "b=2"]]
    script.add(events.TLS_OPENED, WEB, alpn="h2")
    script.add(events.HTTP_REQUEST, WEB, method="GET", target="/", version="HTTP/2", fields=fields, stream=1)
    script.add(events.HTTP_RESPONSE, WEB, status=200, fields=[], stream=1, seconds=0.001)
    (entry,) = log_of(script.made)["entries"]
    assert entry["request"]["url"] == "https://x.test/"
    assert entry["request"]["httpVersion"] == entry["response"]["httpVersion"] == "HTTP/2.0"
    assert entry["request"]["headersSize"] == entry["response"]["headersSize"] == -1
    assert entry["request"]["cookies"] == [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]


def framed(stream: int, data: bytes, kind: int = 0, flags: int = 0) -> bytes:
    return len(data).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + data


def test_exchanges_of_http_2_have_bodies() -> None:
    script = Script()
    script.add(events.TLS_OPENED, WEB, alpn="h2")
    script.add(events.DATA_RECEIVED, WEB, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    script.add(events.DATA_RECEIVED, WEB, framed(1, b"\x02a=1\0\0", flags=8) + framed(3, b"h", 1, 1)[:5])
    script.add(events.DATA_RECEIVED, WEB, framed(3, b"h", 1, 1)[5:] + framed(1, b"&b=2", flags=1))
    for stream, method in ((1, "POST"), (3, "GET")):
        fields = [["content-type", "application/x-www-form-urlencoded"]] if stream == 1 else []
        script.add(events.HTTP_REQUEST, WEB, method=method, target=f"/{stream}", version="HTTP/2", fields=fields,
                   stream=stream)  # fmt: skip
        script.add(events.HTTP_RESPONSE, WEB, status=200, fields=[["content-type", "text/plain"]], stream=stream)
    script.add(events.DATA_SENT, WEB, framed(3, b"three", flags=1) + framed(1, b"o"))
    script.add(events.DATA_SENT, WEB, framed(1, b"ne") + framed(1, b"trailer", kind=1, flags=1))
    post, get = log_of(script.made)["entries"]
    assert (post["request"]["url"], post["request"]["postData"]["text"]) == ("https://127.0.0.1:9080/1", "a=1&b=2")
    assert (post["response"]["content"]["text"], get["response"]["content"]["text"]) == ("one", "three")
    assert "postData" not in get["request"]


@pytest.mark.parametrize("last", [framed(1, b"\0\0\0\x08", kind=3), b"\xff" * 9, None])
def test_an_answer_on_http_2_that_was_broken_off_is_there_as_far_as_it_came(last: bytes | None) -> None:
    script = Script()
    script.add(events.TLS_OPENED, WEB, alpn="h2")
    script.add(events.HTTP_REQUEST, WEB, method="GET", target="/", version="HTTP/2", fields=[], stream=1)
    script.add(events.HTTP_RESPONSE, WEB, status=200, fields=[], stream=1)
    script.add(events.DATA_SENT, WEB, framed(1, b"half"))
    if last is not None:
        script.add(events.DATA_SENT, WEB, last)
    (entry,) = log_of(script.made)["entries"]
    assert entry["response"]["content"]["text"] == "half"


def test_c2_what_a_stream_of_http_2_was_refused_is_an_exchange() -> None:
    script = Script()
    script.add(events.HTTP_RESPONSE, WEB, status=431, refused="too many fields", stream=3)
    (entry,) = log_of(script.made)["entries"]
    assert (entry["request"]["method"], entry["response"]["status"]) == ("", 431)


def test_c2_a_refused_request_behind_others_is_told_apart_from_them() -> None:
    script = Script()
    script.ask("POST", "/good", [["Host", "x"], length(b"hi")], b"hi")
    script.answer(200, [length(b"ok")], b"ok")
    script.add(events.DATA_RECEIVED, WEB, b"GET /bad HTTP/1.1\r\nHost : x\r\n\r\n")
    script.add(events.HTTP_RESPONSE, WEB, status=400, refused="a space")
    script.add(events.DATA_SENT, WEB, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad")
    script.add(events.CONNECTION_CLOSED, WEB, reason="closed by us")
    good, bad = log_of(script.made)["entries"]
    assert (good["request"]["url"], good["response"]["content"]["text"]) == ("http://x/good", "ok")
    assert (bad["request"]["method"], bad["request"]["url"]) == ("GET", "http://127.0.0.1:9080/bad")
    assert (bad["response"]["status"], bad["response"]["content"]["text"]) == (400, "bad")


@pytest.mark.parametrize("hello", [b"\x16\x03\x01\x02\x00\x01\x00 \xd2\xac \xff", "GÄT /x HTTP/1.1\r\n\r\n".encode()])
def test_what_is_no_request_at_all_is_exported_with_its_response(hello: bytes) -> None:
    script = Script()
    script.add(events.DATA_RECEIVED, WEB, hello)
    script.add(events.HTTP_RESPONSE, WEB, status=400, refused="TLS on a plain HTTP port")
    script.add(events.DATA_SENT, WEB, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad")
    script.add(events.CONNECTION_CLOSED, WEB, reason="closed by us")
    (entry,) = log_of(script.made)["entries"]
    assert (entry["response"]["status"], entry["response"]["content"]["text"]) == (400, "bad")


def test_a_method_that_is_not_ascii_is_exported() -> None:
    script = Script()
    script.note_request("GÄT", "/x", [], 0)
    script.record_response(405, [])
    (entry,) = log_of(script.made)["entries"]
    assert (entry["request"]["method"], entry["response"]["status"]) == ("GÄT", 405)


@pytest.mark.parametrize(
    ("value", "cookie"),
    [
        ("a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", {"expires": "2026-10-21T07:28:00.000Z"}),
        ("a=1; expires=Wednesday, 21-Oct-26 07:28:00 GMT", {"expires": "2026-10-21T07:28:00.000Z"}),
        ("a=1; Max-Age=10; Expires=Wed, 21 Oct 2026 07:28:00 GMT", {"expires": "2001-09-09T01:46:50.000Z"}),
        ("a=1; Max-Age=99999999999999999; Expires=never", {}),
        ("a=1; HttpOnly; domain=x.test; PATH=/p", {"httpOnly": True, "domain": "x.test", "path": "/p"}),
    ],
)
def test_c5_attributes_of_a_cookie(value: str, cookie: dict[str, Any]) -> None:
    plain = {"name": "a", "value": "1", "httpOnly": False, "secure": False}
    assert set_by(value, 10**18) == [plain | cookie]


@given(st.text(max_size=60))
def test_no_cookie_does_harm(value: str) -> None:
    set_by(value, 10**18)


@given(st.binary(max_size=200))
def test_whatever_was_sent_for_a_head_can_be_read(data: bytes) -> None:
    read_head(data)


@pytest.mark.parametrize("seconds", [1e300, -5.0, 1e18])
def test_an_answer_that_took_longer_than_can_be_is_an_entry(seconds: float) -> None:
    script = Script()
    script.ask("GET", "/", [["Host", "x"]])
    script.answer(200, [length(b"x")], b"x")
    (entry,) = log_of([replace(e, detail=e.detail | {"seconds": seconds}) if e.kind == 11 else e for e in script.made])[
        "entries"
    ]
    assert entry["time"] >= 0


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode-escape", "undefined", "rot13", "zlib", "x" * 5000])
def test_a_codec_that_is_no_text_encoding_is_left_alone(charset: str) -> None:
    """Punycode takes a day for eight megabytes."""
    assert text_of(b"a" * (1 << 20), [["Content-Type", f"text/plain; charset={charset}"]]) is None


def test_a_status_of_five_thousand_digits_is_none() -> None:
    found = conversation_with_a_websocket(b"HTTP/1.1 " + b"9" * 5000 + b" x\r\n\r\n")
    assert log_of(found)["entries"][0]["response"]["status"] == 0


def conversation_with_a_websocket(answer: bytes) -> list[Event]:
    """A WebSocket that we opened, whose answer is known by its bytes alone."""
    detail = {"target": "/", "offered": [], "subprotocol": None, "extensions": [], "fields": [], "outgoing": True}
    told = (
        (events.CONNECTION_OPENED, None, {"outgoing": True}),
        (events.DATA_SENT, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", {}),
        (events.DATA_RECEIVED, answer, {}),
        (events.WS_OPENED, None, detail),
    )
    return [
        Event(n, n, kind, "s", 1, "1.2.3.4:5", len(payload or b""), "", "127.0.0.1:80", payload, about)
        for n, (kind, payload, about) in enumerate(told, 1)
    ]


def test_bodies_that_wait_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests without an answer on many connections took gigabytes."""
    monkeypatch.setattr(pairing, "MAX_KEPT", 4 << 20)
    body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 1_000_000
    taken, kept, id = pairing.Exchanges(), 0, 0
    for conn in range(1, 21):
        for kind, payload in ((events.DATA_RECEIVED, body), (events.HTTP_REQUEST, None)):
            id += 1
            detail = {"method": "POST", "target": "/"} if payload is None else {}
            event = Event(id, id, kind, "s", conn, "1.2.3.4:5", None, "", "127.0.0.1:80", payload, detail)
            assert list(taken.take(event)) == []
            kept = max(kept, taken._kept)
    bodies = [exchange.request_body for exchange in taken.rest()]
    assert kept <= 6 << 20
    assert [body.size for body in bodies if body is not None] == [1_000_000] * 20
    assert sum(len(body.data) for body in bodies if body is not None) <= 4 << 20
    assert not bodies[-1].cut  # type: ignore[union-attr]
    assert bodies[0].cut  # type: ignore[union-attr]


@pytest.mark.parametrize("expires", ["Fri, 31 Dec 9999 23:59:59 -1200", "Fri, 31 Dec 99999 00:00:00 GMT", "9" * 5000])
def test_a_cookie_that_lasts_longer_than_time_has_no_end(expires: str) -> None:
    assert "expires" not in set_by(f"a=b; Expires={expires}", 10**18)[0]


def test_c1_c2_of_a_refused_request_all_is_told_that_is_known() -> None:
    script = Script()
    script.add(events.DATA_RECEIVED, WEB, b"POST /413 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    script.add(events.HTTP_RESPONSE, WEB, status=413, refused="too much", reason="Content Too Large", method="POST")
    script.add(events.DATA_RECEIVED, WEB, b"def")
    script.add(events.DATA_SENT, WEB, b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbad")
    script.add(events.CONNECTION_CLOSED, WEB, reason="closed by us")
    (entry,) = log_of(script.made)["entries"]
    assert (entry["request"]["method"], entry["response"]["statusText"]) == ("POST", "Content Too Large")
    assert entry["request"]["bodySize"] == len(entry["request"]["postData"]["text"]) == 6
    script.made[1].detail.pop("reason")  # of an earlier version
    assert log_of(script.made)["entries"][0]["response"]["statusText"] == "Content Too Large"


def test_c2_of_a_refused_stream_the_event_says_what_was_asked() -> None:
    script = Script()
    asked = {"method": "PUT", "target": "/x", "version": "HTTP/2"}
    script.add(events.HTTP_RESPONSE, WEB, status=431, refused="too many fields", stream=3, **asked)
    script.add(events.HTTP_RESPONSE, WEB, status=400, refused="nonsense", stream=5)
    known, unknown = log_of(script.made)["entries"]
    assert (known["request"]["method"], known["request"]["url"]) == ("PUT", "http://127.0.0.1:9080/x")
    assert "not known" not in known["comment"]
    assert unknown["comment"].endswith("its method and target are not known")


# -- faults


def comments(script: Script) -> list[str]:
    """What stands of faults in the comment of each entry."""
    return [entry["comment"].partition("; ")[2] for entry in log_of(script.made)["entries"]]


def fault(script: Script, summary: str, **more: Any) -> None:
    script.add(events.FAULT_APPLIED, WEB, b"payload", summary=summary, on="sent", **more)


def test_what_faults_did_between_request_and_answer_is_the_comment_of_the_entry() -> None:
    script = Script()
    script.add(events.CONNECTION_OPENED, WEB)
    fault(script, "door: 5 ms late")
    for number in range(3):
        script.ask("GET", f"/{number}", [["Host", "x"]])
        if number == 1:
            fault(script, "slow: 200 ms late")
            fault(script, "bits: one bit turned over")
        script.answer(200, [length(b"")])
    assert comments(script) == ["fault door: 5 ms late", "fault slow: 200 ms late; fault bits: one bit turned over", ""]


def test_of_an_exchange_that_a_fault_has_ended() -> None:
    script = Script()
    script.add(events.CONNECTION_OPENED, WEB)
    script.ask("GET", "/", [["Host", "x"]])
    fault(script, "end: reset")
    fault(script, "slow: 3 messages in all", total=3)  # is about the connection
    script.add(events.CONNECTION_CLOSED, WEB, reason="reset by a fault")
    assert comments(script) == ["fault end: reset"]


def test_of_several_streams_each_has_its_own() -> None:
    script = Script()
    script.add(events.CONNECTION_OPENED, WEB)
    script.add(events.TLS_OPENED, WEB, alpn="h2")
    for stream in (1, 3):
        script.add(events.HTTP_REQUEST, WEB, method="GET", target="/", version="HTTP/2", fields=[], stream=stream)
    fault(script, "one: reset", stream=1)
    fault(script, "all: slow")
    for stream in (1, 3):
        script.add(events.HTTP_RESPONSE, WEB, status=200, stream=stream)
    assert comments(script) == ["fault one: reset; fault all: slow", "fault all: slow"]


def test_of_a_websocket_and_not_more_than_can_be_read() -> None:
    script = Script()
    script.add(events.CONNECTION_OPENED, WEB)
    script.add(events.WS_OPENED, WEB, target="/", offered=[], subprotocol=None, extensions=[], fields=[])
    for number in range(25):
        fault(script, f"slow: {number}")
    [told] = comments(script)
    assert told.startswith("fault slow: 0; fault slow: 1; ")
    assert told.endswith("; fault slow: 19; and 5 faults more")
