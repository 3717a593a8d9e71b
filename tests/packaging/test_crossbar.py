"""packaging/crossbar: who is let in by the router's rules, and what it makes in its folder. Crossbar itself is not
needed."""

import importlib.util
import json
import ssl
from pathlib import Path

import pytest

from app.outposts.ways.keys import Key

FOLDER = Path(__file__).parents[2] / "packaging" / "crossbar"


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"crossbar_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rules, router = loaded("rules"), loaded("router")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("node") / "made"
    router.prepare(folder, ["127.0.0.1"], 8443, "post.lab", ["router.example", "10.0.0.1"])
    return folder


def test_who_has_a_file_is_let_in_in_its_role(node):
    pi, desk = Key(b"p" * 32).public, Key(b"d" * 32).public
    (node / "outposts" / "pi-3.pub").write_text(f"{pi}\n")
    (node / "consoles" / "desk.pub").write_text(f"{desk} of the lab\n")

    def role(name, key):
        found = rules.principal(node, "post.lab", name, key)
        return found["role"] if isinstance(found, dict) else found

    assert role("pi-3", pi.signing.hex()) == "outpost"
    assert role("desk", desk.signing.hex()) == "console"
    for name, key in (("pi-3", desk.signing.hex()), ("desk", None), ("pi-4", pi.signing.hex())):
        assert f"the router knows no key of {name}" in role(name, key)
    for name in ("../outposts/pi-3", "", None, "a" * 65, "pi.3"):
        assert "a name has letters" in role(name, pi.signing.hex())


@pytest.mark.parametrize(
    ("uri", "action", "match", "may"),
    [
        ("post.pi-3.", "register", "prefix", True),
        ("post.pi-3.changed", "publish", "exact", True),
        ("post.pi-3.", "register", "exact", False),
        ("post.", "register", "prefix", False),
        ("post.pi-31.", "register", "prefix", False),
        ("post.pi-4.changed", "publish", "exact", False),
        ("post.pi-3.read", "call", "exact", False),
        ("post.pi-3.changed", "subscribe", "exact", False),
        ("wamp.session.list", "call", "exact", False),
    ],
)
def test_an_outpost_may_do_what_concerns_its_own_name(uri, action, match, may):
    assert rules.allowed("pi-3", uri, action, match) is may


def test_the_folder_is_closed_to_others_and_kept(node):
    files = {path: path.read_bytes() for path in node.iterdir() if path.is_file()}
    assert {path.name for path in files} == {"ca.pem", "ca.key", "router.pem", "router.key", "config.json"}
    assert {path.stat().st_mode & 0o077 for path in [node, *node.iterdir()]} == {0}
    router.prepare(node, ["127.0.0.1"], 8443, "post.lab", [])
    assert {path: path.read_bytes() for path in files} == files


def test_the_router_is_believed_by_its_names_by_who_trusts_its_authority(node):
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=node / "ca.pem")
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server.load_cert_chain(node / "router.pem", node / "router.key")
    for name, believed in (("router.example", True), ("10.0.0.1", True), ("localhost", True), ("other.example", False)):
        here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
        near = client.wrap_bio(here, there, server_hostname=name)
        far = server.wrap_bio(there, here, server_side=True)
        met = True
        for end in (near, far, near, far):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                met = False
        assert met is believed, name


def test_nobody_but_outposts_and_consoles_has_a_role(node):
    config = json.loads((node / "config.json").read_text())
    [worker] = config["workers"]
    [realm] = worker["realms"]
    assert {role["name"] for role in realm["roles"]} == {"console", "outpost"}
    for permission in realm["roles"][0]["permissions"]:
        assert not {"register", "publish"} & set(permission["allow"])
    [transport] = worker["transports"]
    assert set(transport["paths"]["ws"]["auth"]) == {"cryptosign"}
    assert set(transport["endpoint"]["tls"]) == {"certificate", "key"}
