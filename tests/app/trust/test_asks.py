"""What a workspace asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.plugin_loader.table import TABLE
from app.services.config import ServiceConfig
from app.trust.asks import Ask, asks_of, fingerprint, passes_on_to
from app.workspace import reading
from tests.helpers import ROOT


def service(name: str, responder: str = "echo", protocol: str = "tcp", host: str = "127.0.0.1", port: int = 1,
            **more: object) -> ServiceConfig:  # fmt: skip
    tls = more.pop("tls", None)
    return ServiceConfig(name, protocol, host, port, responder, options=more, tls=tls)  # type: ignore[arg-type]


def said(*services: ServiceConfig, folder: Path = Path("/work")) -> list[str]:
    return [f"{ask.kind} {ask}" for ask in asks_of(services, folder)]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_services_with_our_own_responders_ask_for_nothing(host: str) -> None:
    services = [service(name, name, host=host) for name in ("echo", "line", "chargen")]
    services += [service("r", "rest", "http", host, keep="docs.db", seed="../outside.json")]  # which rest refuses
    services += [service("relay", "relay", host=host, upstream="[::1]:5")]
    assert said(*services) == []


@pytest.mark.parametrize("name", ["demo.toml", "showcase.toml"])
def test_b1_what_we_ship_asks_for_the_manhole_at_the_most(name: str) -> None:
    path = ROOT / "resources" / name
    asks = asks_of(reading.load(path).services, path.parent)
    TABLE.enter(None)
    assert [(ask.kind, ask.service) for ask in asks] == ([("run", "manhole")] if name == "showcase.toml" else [])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "a.example", "localhost.example", "::ffff:127.0.0.1"])
def test_b1_an_address_beyond_loopback_is_told(host: str) -> None:
    place = f"[{host}]:1" if ":" in host else f"{host}:1"
    assert said(service("s", host=host)) == [f"open s: listens on {place}, for others on the network"]


def test_b1_public_addresses_are_told() -> None:
    one = ServiceConfig("s", "tcp", "0.0.0.0", 1, "echo", limits={"allow_public": True})
    assert said(one) == ["open s: listens on 0.0.0.0:1, for everybody who can reach this machine"]


def test_b1_a_relay_to_a_manhole_is_told_as_what_it_is_also_behind_another_relay() -> None:
    shell = service("shell", "manhole", "ssh", port=22, password="known")
    inner = service("inner", "relay", port=33, upstream="localhost:22")
    door = "open outer: listens on 0.0.0.0:44, for others on the network, and leads them to shell: "
    door += "whoever logs in can run any code, as you"
    for upstream in ("127.0.0.1:22", "localhost:33", "0.0.0.0:22", "[::1]:33"):
        outer = service("outer", "relay", host="0.0.0.0", port=44, upstream=upstream)
        assert said(outer, inner, shell) == ["run shell: whoever logs in can run any code, as you", door]
    outer = service("outer", "relay", host="0.0.0.0", port=44, upstream="me.example:22")
    assert door in said(outer, shell)  # a name may stand for this machine


def test_b1_relays_in_a_circle_are_told_once() -> None:
    one = service("one", "relay", host="0.0.0.0", port=1, upstream="127.0.0.1:2")
    two = service("two", "relay", port=2, upstream="127.0.0.1:1")
    assert said(one, two) == ["open one: listens on 0.0.0.0:1, for others on the network"]


def test_b1_what_only_this_machine_can_reach_is_named_when_a_relay_opens_it() -> None:
    one = service("one", "relay", host="0.0.0.0", upstream="127.0.0.1:5432")
    assert said(one) == [
        "open one: listens on 0.0.0.0:1, for others on the network, and passes them on to 127.0.0.1:5432, "
        "which only this machine can reach"
    ]


@pytest.mark.parametrize(
    ("protocol", "upstream", "place"),
    [
        ("tcp", "192.0.2.1:80", "192.0.2.1:80"),
        ("udp", "[2001:db8::1]:53", "[2001:db8::1]:53"),
        ("http", "https://a.example/x", "a.example:443"),
        ("websocket", "ws://a.example", "a.example:80"),
        ("http", "http://127.0.0.1.a.example/", "127.0.0.1.a.example:80"),
    ],
)
def test_b1_an_upstream_elsewhere_is_told(protocol: str, upstream: str, place: str) -> None:
    one = service("one", "relay", protocol, upstream=upstream)
    assert said(one) == [f"reach one: connects to {place}, which is not this machine"]


@pytest.mark.parametrize("protocol", ["tcp", "udp", "http", "websocket"])
def test_b1_an_upstream_that_is_the_service_of_an_outpost_is_told(protocol: str) -> None:
    one = service("one", "relay", protocol, upstreams=["rack-2/echo", "rack-1/a b"])
    assert said(one) == [
        f"reach one: connects to {name}, the service of an outpost, wherever that says that it listens"
        for name in ("rack-2/echo", "rack-1/a b")
    ]
    assert list(passes_on_to(one)) == ["rack-2/echo", "rack-1/a b"]


def test_b1_each_of_several_upstreams_is_told_as_one_would_be() -> None:
    here = service("here", "relay", upstreams=["127.0.0.1:80", "localhost:81"])
    assert said(here) == []
    some = service("some", "relay", "http", upstreams=["http://127.0.0.1:80", "https://a.example", "http://b.example"])
    assert said(some) == [
        "reach some: connects to a.example:443, which is not this machine",
        "reach some: connects to b.example:80, which is not this machine",
    ]
    shell = service("shell", "manhole", "ssh", port=22, password="known")
    outer = service("outer", "relay", host="0.0.0.0", port=44, upstreams=["127.0.0.1:5432", "127.0.0.1:22"])
    [opens] = [words for words in said(outer, shell) if words.startswith("open outer")]
    assert "passes them on to 127.0.0.1:5432" in opens
    assert "leads them to shell: whoever logs in can run any code" in opens


def test_b2_b3_paths_outside_the_folder_are_told_with_all_links_resolved(tmp_path: Path) -> None:
    folder, home = tmp_path / "ws", tmp_path / "home"
    for path in (folder / "www", home):
        path.mkdir(parents=True)
    (home / ".profile").touch()
    (folder / "keys").symlink_to(home / ".profile")
    (folder / "loop").symlink_to(folder / "loop")

    def told(**options: object) -> list[str]:
        return said(service("s", "static", "http", **options), folder=folder)

    for root in ("www", ".", "./www/../www", str(folder / "www"), "not-there", ""):
        assert told(root=root) == []
    assert told(root="/") == ["read s: reads / and all below it (root)"]
    assert told(root="../home") == [f"read s: reads {home} and all below it (root)"]
    assert told(root="~root") == [f"read s: reads {Path('~root').expanduser()} and all below it (root)"]
    assert told(root="loop") == [f"read s: reads {folder / 'loop'} and all below it (root)"]
    for name in ("keys", "../home/.profile", str(home / ".profile")):
        assert told(root="www", tls={"key_log": name}) == [f"write s: writes to {home / '.profile'} (key_log)"]
    assert told(root="www", tls={"key_log": "keys.log", "certificate": "auto"}) == []
    assert told(root="www", tls={"certificate": "/c", "key": "/k", "client_ca": "/a"}) == [
        "read s: reads /c (certificate)",
        "read s: reads /k (key)",
        "read s: reads /a (client_ca)",
    ]


def test_b1_a_link_that_leads_elsewhere_now_is_another_content(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    folder.mkdir()
    services = [service("s", "static", "http", root="www")]
    prints = set()
    for target in (None, tmp_path / "a", tmp_path / "b"):
        if target is not None:
            target.mkdir()
            (folder / "www").unlink(missing_ok=True)
            (folder / "www").symlink_to(target)
        prints.add(fingerprint("digest", asks_of(services, folder)))
    assert len(prints) == 3


def test_b6_what_is_told_moves_no_cursor() -> None:
    [ask] = asks_of([service("s", "static", "http", root="/\x1b]52;c;eA==\x07/\u202e\n")], Path("/work"))
    assert str(ask).isprintable()
    assert Ask("run", "", "x", "a\x1bb").text == "a\x1bb"


def pages(**options: object) -> list[str]:
    return said(service("s", "rest", "http", **options))


ANY = ["open s: lets web pages of any site read what it answers"]


@pytest.mark.parametrize(
    "options",
    [{"hosts": ["*"]}, {"cors": ["*"]}, {"hosts": ["local", "*"], "cors": ["*"], "private_network": True},
     {"fields": ["Access-Control-Allow-Origin: *"]}, {"fields": ["x: y", "access-control-allow-origin:*"]}],
)  # fmt: skip
def test_web_pages_of_any_site_are_told(options: dict[str, Any]) -> None:
    assert pages(**options) == ANY
    for name, more in (
        ("static", {}), ("relay", {"upstream": "http://127.0.0.1:1"}), ("mock", {"rules": [{"file": "x"}]}),
    ):  # fmt: skip
        told = said(service("s", name, "http", **options, **more))
        assert told == (ANY if name != "mock" or "hosts" not in options or "cors" in options else [])


def test_names_and_origins_of_others_are_told() -> None:
    assert pages(hosts=["b.example", "*.a.example"], cors=["https://c.example:8443"]) == [
        "open s: lets web pages of *.a.example, b.example, https://c.example:8443 read what it answers"
    ]
    many = [f"{n}.example" for n in range(7)]
    assert pages(hosts=many)[0].endswith("4.example and 2 more read what it answers")
    assert pages(cors=["null"]) == ["open s: lets web pages of null read what it answers"]
    for origin in ("*", "https://*", "http://localhost*", "http://*.localhost", "http://localhost:1*", "https://a.example:*",
                   "http://localhost.a.example"):  # fmt: skip
        assert len(said(service("s", "rooms", "websocket", origins=[origin]))) == 1


def test_pages_of_this_machine_are_not() -> None:
    assert pages(hosts=["local", "localhost", "a.localhost", "127.0.0.2"], cors=["http://127.0.0.1:9121"]) == []
    assert pages(cors=["http://localhost", "https://a.localhost:1/", "http://[::1]:5"], private_network=True) == []
    assert said(service("s", "rooms", "websocket", origins=["http://localhost:*", "http://127.0.0.1:5"])) == []


def test_what_holds_nothing_may_be_read_by_any_page() -> None:
    """Webhooks come through tunnels, and a mock's answers stand in the workspace."""
    for name in ("inspect", "mock"):
        assert said(service("s", name, "http", hosts=["*"], cors=["*"])) == []


@pytest.mark.parametrize(
    "one",
    [service("s", "manhole", "ssh", authorized_keys="keys"),
     service("s", host="0.0.0.0", tls={"client_certificates": "required", "client_ca": "keys"})],
)  # fmt: skip
def test_who_may_log_in_is_part_of_the_answer(tmp_path: Path, one: ServiceConfig) -> None:
    def print_of(keys: bytes | None, folder: str) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "keys").unlink(missing_ok=True)
        if keys is not None:
            (tmp_path / folder / "keys").write_bytes(keys)
        return fingerprint("digest", asks_of([one], tmp_path / folder))

    assert print_of(b"mine", "a") == print_of(b"mine", "b")
    assert len({print_of(keys, "a") for keys in (b"mine", b"other", None)}) == 3
