"""Services of outposts that speak TLS: watches and relays of the console speak it to them."""

import socket
from contextlib import closing

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from app.files.folders import ELSEWHERE
from app.responders.relay.outposts import Located
from app.services.config import ServiceConfig
from app.services.tls import authority
from app.watch.config import WatchConfig
from tests.app.outposts.consoles import carrier_to
from tests.app.services.tls_peers import give_authority
from tests.helpers import until


@pytest.fixture(autouse=True)
def _authority(tmp_path, monkeypatch):
    """An authority that both trust, as where the system of one has that of the other."""
    monkeypatch.setenv(ELSEWHERE, str(tmp_path / "data"))
    give_authority(tmp_path / "data")


@pytest.fixture
def lab(bench, desk, tmp_path):
    """Adds a service over HTTP to the outpost: ``put(NAME, trusted=…)``. Its ``settled`` waits until it is known."""
    key, certificate = authority.self_signed(["127.0.0.1"])
    (tmp_path / "own.pem").write_bytes(authority._key_pem(key) + authority._pem(certificate))
    own = {"certificate": str(tmp_path / "own.pem"), "key": str(tmp_path / "own.pem")}
    pi = desk.console.add("pi", carrier_to(bench.path))

    async def put(name, tls, protocol="http", responder="inspector"):
        bench.post.add(ServiceConfig(name, protocol, "127.0.0.1", 0, responder, tls=tls))
        await bench.post.start_all([name])
        await until(lambda: any(one.name == name and one.status == "listening" for one in pi.services))

    return put, own


async def words_of(desk, **options):
    """What a check of a watch says."""
    name = f"w{len(desk.post.watches)}"
    desk.post.watches.become([*desk.post.watches.configs(), WatchConfig(name, **options)])
    desk.post.watches.check_now(name)
    watch = desk.post.watches[name]
    await until(lambda: watch.words and not watch.running)
    return watch.words


def get(port):
    with closing(socket.create_connection(("127.0.0.1", port))) as peer:
        peer.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: peer.recv(1 << 16), b""))


async def relayed(desk, protocol="http", **options):
    """A relay of the console; what a client of HTTP is answered there."""
    name = f"relay{len(desk.post.services)}"
    desk.post.add(ServiceConfig(name, protocol, "127.0.0.1", 0, "relay", options=options))
    await desk.post.start_all([name])
    port = int(desk.post.services[name].status.host.split(":")[1])
    return await deferToThread(get, port)


@pytest_twisted.ensureDeferred
async def test_a_watch_speaks_it_and_looks_at_the_certificate(desk, lab):
    put, own = lab
    await put("web", {})
    await put("strange", own)
    await put("plain", None)
    await put("bytes", {}, "tcp", "echo")
    assert desk.console.locate("pi", "web").tls is True
    assert desk.console.locate("pi", "plain").tls is False
    assert await words_of(desk, target="pi/web", certificate_days=3) == "ok"
    said = await words_of(desk, target="pi/strange")
    assert "is signed by itself, not by an authority that we trust" in said
    assert said.endswith("Have this system trust its authority, or set verify = false in the watch.")
    assert await words_of(desk, target="pi/strange", verify=False) == "ok"
    assert await words_of(desk, target="pi/plain") == "ok"
    assert await words_of(desk, target="pi/plain", verify=False) == (
        "pi/plain speaks http: verify is not for http, which has no TLS"
    )
    assert await words_of(desk, target="pi/bytes", send="ping", expect="ping") == "ok"


@pytest_twisted.ensureDeferred
async def test_a_relay_speaks_it_where_the_outpost_says_so(desk, lab):
    put, own = lab
    await put("web", {})
    await put("strange", own)
    await put("plain", None)
    assert b"Hello, World!" in await relayed(desk, upstream="pi/web")
    assert b"Hello, World!" in await relayed(desk, upstream="pi/plain", tls=True)  # it knows better
    refused = await relayed(desk, upstream="pi/strange")
    assert b" 502 " in refused
    assert b"or set the option verify to false" in refused
    assert b"Hello, World!" in await relayed(desk, upstream="pi/strange", verify=False)


@pytest_twisted.ensureDeferred
async def test_a_relay_of_bytes_does_as_it_is_told_as_they_may_be_tls_themselves(desk, lab):
    put, _ = lab
    await put("web", {})
    await put("plain", None)
    assert b"Hello, World!" in await relayed(desk, "tcp", upstream="pi/web", tls=True)
    assert b"Hello, World!" not in await relayed(desk, "tcp", upstream="pi/web")
    assert b"Hello, World!" in await relayed(desk, "tcp", upstream="pi/plain")
    assert await relayed(desk, "tcp", upstream="pi/plain", tls=True) == b""
    [member] = desk.post.services["relay3"].upstreams()
    assert member.reason == "it does not use TLS there, and this relay has tls = true"


@pytest_twisted.ensureDeferred
async def test_a_service_that_speaks_it_from_now_on_is_followed(bench, desk, lab):
    put, _ = lab
    await put("web", None)
    desk.post.add(ServiceConfig("relay", "http", "127.0.0.1", 0, "relay", options={"upstream": "pi/web"}))
    await desk.post.start_all(["relay"])
    port = int(desk.post.services["relay"].status.host.split(":")[1])
    assert b"Hello, World!" in await deferToThread(get, port)
    await bench.post.remove("web")
    await put("web", {})
    await until(lambda: isinstance(found := desk.console.locate("pi", "web"), Located) and found.tls)
    assert b"Hello, World!" in await deferToThread(get, port)
