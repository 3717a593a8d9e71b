"""app.outposts.versions: consoles and outposts of different ages, by the frames that they send."""

from typing import Annotated, get_args

import msgspec
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, fail, succeed

from app.outposts import frames, versions
from app.outposts import protocol as p
from app.outposts.client import Client
from app.outposts.errors import NotOurProtocolError, OlderOutpostError, RefusedError
from app.outposts.ways.carrier import Carrier, Closed, Connected
from tests.helpers import until

# -- what an outpost of minor version 0 knows


class Old(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    pass


class OldHello(Old, frozen=True, tag="hello"):
    version: int
    name: str


class OldRead(Old, frozen=True, tag="read"):
    after: int = 0
    capture: str = ""
    max_bytes: int = p.MAX_READ
    seconds: float = 10.0


class OldPayload(Old, frozen=True, tag="payload"):
    event: int
    offset: int = 0
    max_bytes: int = p.MAX_READ


class OldStatus(Old, frozen=True, tag="services"):
    pass


class OldPut(Old, frozen=True, tag="put"):
    toml: str
    start: bool = True


class OldSend(Old, frozen=True, tag="send"):
    connection: int
    data: Annotated[bytes, msgspec.Meta(max_length=5)]


ASKED = msgspec.msgpack.Decoder(OldHello | OldRead | OldPayload | OldStatus | OldPut | OldSend)
HELLO = {
    "version": 1, "name": "pi", "program": "Listening Post 1.2\x1b", "allow": "change", "capture": "", "first": 1,
    "last": 0, "time": 0,
}  # fmt: skip
SERVICE = {
    "name": "echo", "protocol": "tcp", "responder": "echo", "status": "listening", "words": "127.0.0.1:9407",
    "connections": 0, "opened": 0, "received": 0, "sent": 0,
}  # fmt: skip


class OldPi(Carrier):
    """The way to an outpost of minor version 0: it decodes what is sent as that did, and answers as that did."""

    def __init__(self, hello=HELLO):
        super().__init__("pi@bench-3")
        self.hello, self.taken = hello, []

    def open(self):
        self.become(Connected())

    def close(self):
        self.become(Closed())
        return succeed(None)

    def drop(self, reason):
        self.dropped = reason

    def ask(self, request):
        try:
            taken = ASKED.decode(frames.encode(request))
        except msgspec.DecodeError as e:
            return fail(RefusedError(reason=f"The request is wrong: {e}. This outpost knows hello, read"))
        self.taken.append(taken)
        if isinstance(taken, OldRead):
            return Deferred()
        answers = {OldHello: self.hello, OldStatus: {"services": [SERVICE]}, OldPut: {"services": []}}
        answered = frames.answered(frames.encode({"to": 1, "answer": answers.get(type(taken), {"data": b"x"})}))
        return succeed(frames.answer_to(request, answered))


def followed(desk, **more):
    carrier = OldPi(HELLO | more)
    return desk.console.add("pi-3", carrier), carrier


async def refusal(asking):
    with pytest.raises(OlderOutpostError) as caught:
        await asking
    return str(caught.value)


@pytest_twisted.ensureDeferred
async def test_an_older_outpost_is_read_and_steered_without_what_it_does_not_know(desk):
    pi, carrier = followed(desk)
    await until(lambda: pi.services)
    assert pi.services[0].tls is None
    await pi.ask(p.Payload(3, capture="of now"))
    await pi.ask(p.Put("[[service]]", keep=True))
    assert carrier.taken[-2:] == [OldPayload(3), OldPut("[[service]]")]
    assert pi.problem == ""


@pytest_twisted.ensureDeferred
async def test_what_an_older_outpost_does_not_know_is_said_with_what_to_do(desk):
    pi, carrier = followed(desk)
    await until(lambda: pi.services)
    before = list(carrier.taken)
    assert await refusal(pi.ask(p.Configuration("echo"))) == (
        "pi-3 runs an older version (Listening Post 1.2\\e), which does not know “configuration”. Update Listening"
        " Post there."
    )
    assert carrier.taken == before  # it was not asked
    # What no version declares, it tells itself.
    assert "does not know all of “send”. Update" in await refusal(pi.ask(p.Send(1, b"too long")))


@pytest_twisted.ensureDeferred
async def test_a_newer_outpost_says_more_than_we_know(desk):
    pi, _ = followed(desk, minor=99, mood="good")
    await until(lambda: pi.services)
    assert pi.outpost.minor == 99
    with pytest.raises(RefusedError, match="The request is wrong"):  # its own words: it is not older
        await pi.ask(p.Send(1, b"too long"))


@pytest.mark.parametrize(("version", "where"), [(0, "there"), (2, "here")])
@pytest_twisted.ensureDeferred
async def test_another_version_is_said_with_which_of_the_two_is_to_be_updated(desk, version, where):
    _, carrier = followed(desk, version=version)
    await until(lambda: hasattr(carrier, "dropped"))
    assert f"speaks version {version} of the protocol" in carrier.dropped
    assert f"Update Listening Post {where}." in carrier.dropped
    with pytest.raises(NotOurProtocolError):
        versions.check(msgspec.convert(HELLO | {"version": version}, p.Outpost), "x")


def test_every_addition_is_declared_as_one_that_an_older_outpost_can_do_without():
    for request in p.REQUESTS:
        fields = {field.name: field for field in msgspec.structs.fields(request)}
        assert 0 <= request.since <= p.MINOR
        for name, since in request.added.items():
            assert request.since < since <= p.MINOR
            assert fields[name].default is not msgspec.NODEFAULT


def test_what_has_its_default_is_not_sent():
    for request in (p.Read(), p.Start(), p.Connections(), p.Put("x"), p.Payload(1)):
        sent = msgspec.msgpack.decode(frames.encode(request))
        required = {field.encode_name for field in msgspec.structs.fields(request) if field.required}
        assert set(sent) == {"do"} | required


def test_the_command_says_it_too(monkeypatch, tmp_path):
    client = object.__new__(Client)
    client._path, client.outpost = tmp_path / "s", msgspec.convert(HELLO, p.Outpost)
    with pytest.raises(OlderOutpostError, match="does not know “configuration”"):
        client.ask(p.Configuration("echo"))


def test_the_requests_of_the_first_version_stand_here():
    old = {one.__struct_config__.tag: one for one in get_args(OldHello | OldRead | OldPayload | OldStatus | OldPut)}
    for request in p.REQUESTS:
        if (one := old.get(p.name_of(request))) is not None:
            assert set(request.__struct_fields__) - set(request.added) == set(one.__struct_fields__)
