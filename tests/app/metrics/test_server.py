"""app.metrics.server: what it answers, to whom, in which format; and that a real Prometheus reads every series."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import pytest_twisted
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from twisted.internet import defer
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure

from app.capture.recorder import Trouble
from app.metrics.declared import METRICS
from app.metrics.server import CONNECTIONS, LONGEST, site
from app.metrics.serving import MetricsServer
from app.post import Post
from app.services.config import ServiceConfig
from app.status import Failed
from app.watch.config import made_of
from app.watch.result import Result
from app.workspace.reading import Workspace
from tests.app.services.helpers import Peer
from tests.helpers import kept_port, until, wait_for

WATCHES = tuple(
    made_of({"name": name, "target": "tcp://127.0.0.1:1", "fails_after": 1, "every_seconds": 3600})
    for name in ("api", "old", "new")
)


def config(name: str, protocol: str = "tcp", responder: str = "echo", **more: Any) -> ServiceConfig:
    return ServiceConfig(name, protocol, "127.0.0.1", 0, responder, **more)


@pytest.fixture
def post() -> Post:
    return Post(Clock(), Workspace((config('a "b" \\'), config("web", "http", "inspector")), watches=WATCHES))


def look(post: Post) -> None:
    """Its watches have found something; the last one not yet."""
    for name in post.watches:
        post.watches.pause(name)
    post.watches["api"].take(Result(True, 12.5), 0.0)
    post.watches["old"].take(Result(False, 3000, "no answer within 3 s"), 0.0)


Answer = tuple[int, dict[str, str], str]


def ask(post: Post, target: str = "/metrics", method: str = "GET", *, exposed: bool = False, **fields: str) -> Answer:
    """What a request without a socket is answered: status, fields, body."""
    protocol = site(Clock(), post, exposed=exposed).buildProtocol(IPv4Address("TCP", "127.0.0.1", 5))
    transport = StringTransport()
    transport.abortConnection = transport.loseConnection  # type: ignore[method-assign]
    protocol.makeConnection(transport)
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "127.0.0.1:9464", **fields}.items())
    protocol.dataReceived(f"{method} {target} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
    head, _, body = transport.value().decode().partition("\r\n\r\n")
    first, *rest = head.split("\r\n")
    return int(first.split()[1]), {n.lower(): v for n, _, v in (line.partition(": ") for line in rest)}, body


@pytest.mark.parametrize(
    ("accept", "kind", "parse"),
    [
        ("", "text/plain; version=0.0.4", parse_text),
        ("text/plain;version=0.0.4", "text/plain; version=0.0.4", parse_text),
        (
            "application/openmetrics-text; version=1.0.0",
            "application/openmetrics-text; version=1.0.0",
            parse_openmetrics,
        ),
        ("application/openmetrics-text; version=zz, */*", "text/plain; version=0.0.4", parse_text),
        ("text/plain; version=", "text/plain; version=0.0.4", parse_text),
    ],
)
def test_has_every_metric_as_declared_in_the_format_that_is_asked_for(
    post: Post, accept: str, kind: str, parse: Callable[[str], Any]
) -> None:
    look(post)
    counters = post.recorder.counters(post.services["web"].number)
    counters.answered(204, 0.004)
    counters.answered(418)
    counters.answered(200, 99)
    counters.faults["delay"] += 2
    status, fields, body = ask(post, Accept=accept)
    assert (status, fields["content-type"].startswith(kind)) == (200, True)
    families = {family.name: family for family in parse(body)}
    for metric in METRICS.values():
        family = families.pop(metric.family)
        assert family.type == metric.type
        assert family.documentation == metric.meaning
        samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
        assert {sample.name for sample in samples} == set(metric.series)
        assert {label for sample in samples for label in sample.labels} - {"le"} == set(metric.labels)
    assert not families
    values = {(s.name, *sorted(s.labels.items())): s.value for f in parse(body) for s in f.samples}
    prefix = "listening_post_"
    assert values[f"{prefix}connections_total", ("protocol", "tcp"), ("service", 'a "b" \\')] == 0
    assert values[f"{prefix}requests_total", ("service", "web"), ("status_class", "2xx")] == 2
    assert values[f"{prefix}requests_total", ("service", "web"), ("status_class", "4xx")] == 1
    assert values[f"{prefix}request_seconds_count", ("service", "web")] == 2
    assert values[f"{prefix}request_seconds_bucket", ("le", "0.005"), ("service", "web")] == 1
    assert values[f"{prefix}request_seconds_bucket", ("le", "+Inf"), ("service", "web")] == 2
    assert values[f"{prefix}faults_total", ("kind", "delay"), ("service", "web")] == 2
    assert values[f"{prefix}watch_up", ("watch", "api")] == 1
    assert values[f"{prefix}watch_up", ("watch", "old")] == 0
    assert values[f"{prefix}watch_seconds", ("watch", "api")] == 0.0125
    assert (f"{prefix}watch_up", ("watch", "new")) not in values


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"target": "/healthz"}, 200, "ok"),
        ({"target": "/healthz", "Host": "localhost:1"}, 200, "ok"),
        ({"target": "/healthz", "Host": "[::1]:9464"}, 200, "ok"),
        ({"target": "/healthz", "Host": "evil.example:9464"}, 403, "evil.example does not belong"),
        ({"target": "/metrics", "Host": "evil.example"}, 403, "evil.example does not belong"),
        ({"target": "/metrics", "Host": "box.example", "exposed": True}, 200, "listening_post_"),
        ({"target": "/metrics", "method": "POST"}, 405, "Only GET and HEAD"),
        ({"target": "/metrics", "method": "DELETE"}, 405, "Only GET and HEAD"),
        ({"target": "/metrics", "method": "HEAD"}, 200, ""),
        ({"target": "/metrics/"}, 200, "listening_post_"),
        ({"target": "/"}, 404, "There are /metrics and /healthz"),
        ({"target": "/favicon.ico"}, 404, "There are /metrics and /healthz"),
    ],
)
def test_answers_whom_it_should_and_nobody_else(post: Post, request_: dict[str, Any], status: int, words: str) -> None:
    found, fields, body = ask(post, **request_)
    assert found == status
    assert words in body
    assert bool(body) == (request_.get("method") != "HEAD")
    assert fields["x-content-type-options"] == "nosniff"


def test_health_says_in_words_what_is_not_well(post: Post) -> None:
    assert ask(post, "/healthz")[::2] == (200, "ok\n")
    look(post)
    post.recorder.on_trouble("No space left for x.lpost.")
    post.services["web"].status = Failed("Port 80 is in use by nginx (pid 12).\nStop it.")
    status, _, body = ask(post, "/healthz")
    assert status == 503
    assert body.splitlines() == [
        "web: Port 80 is in use by nginx (pid 12).\\nStop it.",
        "capture: No space left for x.lpost.",
        "old: no answer within 3 s",
    ]
    assert isinstance(post.recorder.trouble, Trouble)


def test_takes_so_many_connections_and_no_more(post: Post) -> None:
    factory = site(Clock(), post, exposed=False)
    for _ in range(CONNECTIONS):
        factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 5)).makeConnection(StringTransport())
    assert factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 5)) is None


def connected(clock: Clock, post: Post) -> tuple[Any, StringTransport]:
    protocol = site(clock, post, exposed=False).buildProtocol(IPv4Address("TCP", "127.0.0.1", 5))
    transport = StringTransport()
    transport.abortConnection = transport.loseConnection  # type: ignore[method-assign]
    protocol.makeConnection(transport)
    return protocol, transport


@pytest.mark.parametrize("pieces", [[], [b"GET /healthz HTTP/1.1\r\n"], [b"A: b\r\n"] * LONGEST])
def test_a_connection_ends_in_time_whoever_sends_byte_by_byte_or_nothing(post: Post, pieces: list[bytes]) -> None:
    clock = Clock()
    protocol, transport = connected(clock, post)
    protocol.dataReceived(b"GET /metrics HTTP/1.1\r\n")
    for piece in pieces:
        clock.advance(LONGEST / 20)
        protocol.dataReceived(piece)
    assert not transport.disconnecting
    clock.advance(LONGEST - len(pieces) * LONGEST / 20)
    assert transport.disconnecting
    protocol.connectionLost(Failure(ConnectionDone()))
    assert clock.getDelayedCalls() == []


def test_a_connection_asks_once_so_that_nothing_gathers_for_who_does_not_read(post: Post) -> None:
    protocol, transport = connected(Clock(), post)
    protocol.dataReceived(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
    assert transport.value().count(b"HTTP/1.1 200") == 1
    assert b"\r\nConnection: close\r\n" in transport.value()
    assert transport.disconnecting


@pytest.mark.parametrize(
    ("head", "data"),
    [
        ("Content-Length: 3000000", b"x" * 3_000_000),
        ("Transfer-Encoding: chunked", b"2dc6c0\r\n" + b"x" * 3_000_000 + b"\r\n0\r\n\r\n"),
        ("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 300000", b"a=b&" * 75_000),
        ("Content-Type: multipart/form-data\r\nContent-Length: 3", b"abc"),
    ],
)
def test_keeps_nothing_of_a_body(post: Post, head: str, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def to_disk(*args: object, **more: object) -> None:
        raise AssertionError("it was written to the disk, in the reactor's thread")

    monkeypatch.setattr("tempfile.TemporaryFile", to_disk)
    protocol, transport = connected(Clock(), post)
    protocol.dataReceived(f"POST /metrics HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
    for at in range(0, len(data), 65_536):
        protocol.dataReceived(data[at : at + 65_536])
    assert transport.value().startswith(b"HTTP/1.1 4")
    assert transport.disconnecting


def test_an_idle_program_is_not_woken_by_it(post: Post) -> None:
    clock = Clock()
    factory = site(clock, post, exposed=False)
    factory.doStart()
    assert clock.getDelayedCalls() == []
    factory.doStop()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Post, MetricsServer]]:
    from twisted.internet import reactor

    fault = {"kind": "delay", "ms": 1}
    post = Post(
        reactor, Workspace((config("echo", faults=(fault,)), config("web", "http", "inspector")), watches=WATCHES)
    )
    server = MetricsServer(reactor, post)
    pytest_twisted.blockon(post.open(tmp_path / "x.lpost"))
    pytest_twisted.blockon(post.start_all())
    yield post, server
    while Peer.made:
        Peer.made.pop().close()
    pytest_twisted.blockon(defer.Deferred.fromCoroutine(server.use("")))
    pytest_twisted.blockon(defer.Deferred.fromCoroutine(post.shut_down()))


@pytest_twisted.ensureDeferred
async def test_a_real_prometheus_reads_every_series(served: tuple[Post, MetricsServer], tmp_path: Path) -> None:
    post, server = served
    look(post)
    await server.use("127.0.0.1:0")
    assert server.problem == ""
    for name, said in (("echo", b"hey\n"), ("web", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")):
        peer = Peer(post.services[name])
        await peer.send(said)
        await until(lambda peer=peer: peer.pull().got)
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n- job_name: post\n  scrape_interval: 200ms\n  static_configs:\n"
        f"  - targets: ['{server.address}']\n"
    )
    with kept_port() as port:
        command = [
            "prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
        ]  # fmt: skip
        with open(tmp_path / "log", "w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            series = [name for metric in METRICS.values() for name in metric.series]
            for name in ("up", *series):
                assert await _value(port, name), name
            rate = await _value(port, "histogram_quantile(0.9, listening_post_request_seconds_bucket{service='web'})")
            assert 0 < float(rate[0]["value"][1]) < 10
        finally:
            process.terminate()
            await deferToThread(process.wait)


async def _value(port: int, query: str) -> Any:
    """What its query API has, once it has something."""

    def ask() -> Any:
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={quote(query)}", timeout=5) as answer:
                return json.load(answer)["data"]["result"]
        except OSError:
            return []

    return await deferToThread(wait_for, ask)


@pytest_twisted.ensureDeferred
async def test_says_why_it_cannot_listen_and_listens_elsewhere_then(served: tuple[Post, MetricsServer]) -> None:
    post, server = served
    told: list[tuple[str, str]] = []
    server.changed.connect(lambda s: told.append((s.address, s.problem)))
    taken = post.services["echo"].status.host  # type: ignore[union-attr]
    for where in ("nonsense", taken, "203.0.113.7:9464"):
        await server.use(where)
    await server.use("localhost:0")
    await server.use("")
    assert [address for address, _ in told[:3]] == ["", "", ""]
    assert [
        word in problem for (_, problem), word in zip(told, ("nonsense", "in use", "not an address"), strict=False)
    ] == [True] * 3
    assert told[3][0].startswith("127.0.0.1:")
    assert told[4] == ("", "")
