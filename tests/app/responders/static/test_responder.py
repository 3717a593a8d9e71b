"""The static responder, asked by curl and over plain sockets."""

from __future__ import annotations

import json
import os
import socket
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.utils import getProcessOutputAndValue

from app.responders import find
from app.responders.static.lookup import SMALL
from app.responders.static.sending import PIECE
from app.services.surroundings import Surroundings
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.app.services.http.test_options import ask
from tests.helpers import open_files, until

TEXT = b"0123456789"


@pytest.fixture
def desk(desk: Desk, tmp_path: Path) -> Desk:
    desk.surroundings = Surroundings(tmp_path, tmp_path)
    return desk


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "with-index").mkdir()
    (root / ".well-known").mkdir()
    (root / ".git").mkdir()
    (root / "a.txt").write_bytes(TEXT)
    (root / "sub" / "b & <c>.html").write_text("<p>b")
    (root / "with-index" / "index.html").write_text("<p>index")
    (root / ".well-known" / "security.txt").write_text("contact")
    (root / ".git" / "config").write_text("secret")
    (root / ".env").write_text("secret")
    (root / "large.bin").write_bytes(os.urandom(3 * PIECE + 17))
    (tmp_path / "site_backup").mkdir()
    (tmp_path / "site_backup" / "a.txt").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    (root / "link-in").symlink_to(root / "a.txt")
    (root / "link-out").symlink_to(tmp_path / "outside.txt")
    (root / "link-backup").symlink_to(tmp_path / "site_backup")
    (root / "link-hidden").symlink_to(root / ".git")
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe")
    return root


async def start(desk: Desk, **options: Any) -> Any:
    return await desk.start("http", "static", options={"root": "site", **options})


async def get(
    desk: Desk, path: bytes, fields: bytes = b"", method: bytes = b"GET", **options: Any
) -> tuple[Any, bytes]:
    return await ask(await start(desk, **options), fields, method, path)


# -- what is served


@pytest_twisted.ensureDeferred
async def test_a_file_has_its_type_and_validators(desk: Desk, site: Path) -> None:
    answer, body = await get(desk, b"/a.txt?query")
    assert (answer["status"], body) == ("200", TEXT)
    assert answer["content-type"] == "text/plain; charset=utf-8"
    assert answer["x-content-type-options"] == "nosniff"
    assert answer["content-length"] == "10"
    assert answer["accept-ranges"] == "bytes"
    assert answer["etag"].strip('"').startswith("a-")
    assert answer["last-modified"].endswith(" GMT")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (b"/link-in", TEXT),
        (b"//a.txt", TEXT),
        (b"/%61.txt", TEXT),
        (b"/with-index/", b"<p>index"),
        (b"/sub/b%20&%20%3Cc%3E.html", b"<p>b"),
        (b"/.well-known/security.txt", b"contact"),
        (b"http://x.example/a.txt", TEXT),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_path_finds_its_file(path: bytes, body: bytes, desk: Desk, site: Path) -> None:
    answer, found = await get(desk, path)
    assert (answer["status"], found) == ("200", body)


@pytest.mark.parametrize(
    "path",
    [
        b"/../outside.txt",
        b"/sub/../../outside.txt",
        b"/%2e%2e/outside.txt",
        b"/..%2foutside.txt",
        b"/%2e%2e%2foutside.txt",
        b"/%252e%252e/outside.txt",
        b"/..%5coutside.txt",
        b"/..\\outside.txt",
        b"/../site_backup/a.txt",
        b"/link-out",
        b"/link-backup/a.txt",
        b"/link-hidden/config",
        b"/.env",
        b"/.git/config",
        b"/%2egit/config",
        b"/loop",
        b"/pipe",
        b"/a.txt%00.html",
        b"/a.txt/",
        b"/a.txt/x",
        b"/" + b"x" * 5000,
        b"/" + b"x/" * 2500,
        b"/etc/passwd",
        b"//etc/passwd",
        b"/%2fetc/passwd",
        b"/C:/windows/win.ini",
        b"/%ff%fe",
        b"/nothing<script>",
        b"*",
        b"file:///etc/passwd",
    ],
)
@pytest_twisted.ensureDeferred
async def test_nothing_else_is_found(path: bytes, desk: Desk, site: Path, tape: Tape) -> None:
    answer, body = await get(desk, path)
    assert (answer["status"], body) == ("404", b"Not found.\n")
    assert answer["content-type"] == "text/plain; charset=utf-8"
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_hidden_files_can_be_served(desk: Desk, site: Path) -> None:
    _, body = await get(desk, b"/.git/config", hidden=True)
    assert body == b"secret"


@pytest_twisted.ensureDeferred
async def test_a_folder_that_does_not_exist_is_told(desk: Desk, tape: Tape) -> None:
    answer, _ = await get(desk, b"/", root="nowhere")
    assert answer["status"] == "404"
    await until(lambda: tape.all("log"))
    assert "nowhere does not exist" in tape.all("log")[0].summary


@pytest.mark.parametrize(("path", "status"), [(b"/some/page", "200"), (b"/some/page.js", "404"), (b"/../x", "404")])
@pytest_twisted.ensureDeferred
async def test_an_app_gets_its_index_for_names_that_do_not_exist(
    path: bytes, status: str, desk: Desk, site: Path
) -> None:
    answer, body = await get(desk, path, fallback="with-index/index.html")
    assert answer["status"] == status
    assert (body == b"<p>index") is (status == "200")


# -- methods


@pytest_twisted.ensureDeferred
async def test_head_has_the_fields_of_get(desk: Desk, site: Path) -> None:
    for path in (b"/a.txt", b"/large.bin"):
        answer, body = await get(desk, path, method=b"HEAD")
        assert (answer["status"], body) == ("200", b"")
        assert answer["content-length"] == str((site / path[1:].decode()).stat().st_size)


@pytest_twisted.ensureDeferred
async def test_other_methods_are_not_allowed(desk: Desk, site: Path) -> None:
    for method, status in ((b"POST", "405"), (b"DELETE", "405"), (b"BREW", "405"), (b"OPTIONS", "204")):
        answer, _ = await get(desk, b"/a.txt", method=method)
        assert (answer["status"], answer["allow"]) == (status, "GET, HEAD, OPTIONS")


# -- folders


@pytest.mark.parametrize(
    ("path", "location"),
    [
        (b"/sub", "/sub/"),
        (b"/sub/deep?a=b", "/sub/deep/?a=b"),
        (b"//sub", "/sub/"),
        (b"/%73ub", "/sub/"),
        (b"http://evil.example/sub", "/sub/"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_folder_without_a_slash_moves_to_its_own_site(
    path: bytes, location: str, desk: Desk, site: Path
) -> None:
    answer, _ = await get(desk, path)
    assert (answer["status"], answer["location"]) == ("301", location)


@pytest_twisted.ensureDeferred
async def test_a_folder_called_as_a_host_is_no_way_out(desk: Desk, site: Path) -> None:
    (site / "evil.example").mkdir()
    answer, _ = await get(desk, b"//evil.example")
    assert answer["location"] == "/evil.example/"


@pytest_twisted.ensureDeferred
async def test_a_listing_escapes_its_names(desk: Desk, site: Path) -> None:
    (site / "sub" / "mailto:x").write_text("")
    os.close(os.open(os.fsencode(site) + b"/sub/\xff.txt", os.O_CREAT | os.O_WRONLY))
    answer, body = await get(desk, b"/sub/")
    assert answer["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer["content-security-policy"]
    assert b'<a href="./b%20%26%20%3Cc%3E.html">b &amp; &lt;c&gt;.html</a>' in body
    assert b'<a href="./mailto%3Ax">' in body
    assert b'<a href="./%FF.txt">\xef\xbf\xbd.txt</a>' in body
    assert b'<a href="./deep/">deep/</a>' in body
    assert b'<a href="../">' in body


@pytest_twisted.ensureDeferred
async def test_a_listing_comes_as_json_too(desk: Desk, site: Path) -> None:
    answer, body = await get(desk, b"/", b"Accept: application/json\r\n")
    assert answer["content-type"] == "application/json"
    names = {entry["name"]: (entry["type"], entry["size"]) for entry in json.loads(body)}
    assert names["a.txt"] == ("file", 10)
    assert names["sub"] == ("folder", None)
    assert not {".git", ".env", "pipe", "loop"} & set(names)
    assert ".well-known" in names


@pytest_twisted.ensureDeferred
async def test_a_listing_can_be_left_out(desk: Desk, site: Path) -> None:
    answer, _ = await get(desk, b"/sub/", listing=False)
    assert answer["status"] == "404"
    answer, _ = await get(desk, b"/with-index/", listing=False)
    assert answer["status"] == "200"


# -- conditions and ranges


@pytest_twisted.ensureDeferred
async def test_what_the_client_has_is_not_sent_again(desk: Desk, site: Path) -> None:
    service = await start(desk)
    first, _ = await ask(service, path=b"/a.txt")
    tag, date = first["etag"].encode(), first["last-modified"].encode()
    for fields, status in (
        (b"If-None-Match: " + tag, "304"),
        (b"If-None-Match: W/" + tag, "304"),
        (b'If-None-Match: "x", ' + tag, "304"),
        (b"If-None-Match: *", "304"),
        (b'If-None-Match: "x"', "200"),
        (b"If-Modified-Since: " + date, "304"),
        (b"If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT", "200"),
        (b"If-Modified-Since: nonsense", "200"),
        (b'If-None-Match: "x"\r\nIf-Modified-Since: ' + date, "200"),
        (b"If-Match: " + tag, "200"),
        (b"If-Match: W/" + tag, "412"),
        (b'If-Match: "x"', "412"),
        (b"If-Unmodified-Since: " + date, "200"),
        (b"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT", "412"),
    ):
        answer, body = await ask(service, fields + b"\r\n", path=b"/a.txt")
        assert answer["status"] == status, fields
        if status == "304":
            assert (answer["etag"].encode(), body) == (tag, b"")
            assert "content-type" not in answer


@pytest_twisted.ensureDeferred
async def test_no_field_of_a_refusal_is_there_twice(desk: Desk, site: Path) -> None:
    peer = Peer(await start(desk))
    peer.push(b'GET /a.txt HTTP/1.1\r\nHost: x\r\nIf-Match: "x"\r\nConnection: close\r\n\r\n')
    head, _, _ = (await peer.end()).partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("asked", "status", "span", "body"),
    [
        (b"bytes=0-3", "206", "bytes 0-3/10", b"0123"),
        (b"bytes=8-", "206", "bytes 8-9/10", b"89"),
        (b"bytes=8-99", "206", "bytes 8-9/10", b"89"),
        (b"bytes=-3", "206", "bytes 7-9/10", b"789"),
        (b"bytes=-99", "206", "bytes 0-9/10", TEXT),
        (b"bytes=10-", "416", "bytes */10", b"The file has no such range.\n"),
        (b"bytes=-0", "416", "bytes */10", b"The file has no such range.\n"),
        (b"bytes=3-1", "200", None, TEXT),
        (b"bytes=x", "200", None, TEXT),
        (b"lines=0-3", "200", None, TEXT),
        (b"bytes=0-8,0-8", "200", None, TEXT),
        (b"bytes=" + b"0-0," * 40 + b"1-1", "200", None, TEXT),
        (b"bytes=99999999999999999999-", "200", None, TEXT),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_range_is_sent(
    asked: bytes, status: str, span: str | None, body: bytes, desk: Desk, site: Path
) -> None:
    answer, found = await get(desk, b"/a.txt", b"Range: " + asked + b"\r\n")
    assert (answer["status"], answer.get("content-range"), found) == (status, span, body)


@pytest.mark.parametrize("name", ["a.txt", "large.bin"])
@pytest_twisted.ensureDeferred
async def test_several_ranges_come_as_parts(name: str, desk: Desk, site: Path) -> None:
    answer, body = await get(desk, b"/" + name.encode(), b"Range: bytes=0-1, 4-5, -2\r\n")
    whole = (site / name).read_bytes()
    assert answer["status"] == "206"
    assert answer["content-length"] == str(len(body))
    parts: Any = message_from_bytes(b"Content-Type: " + answer["content-type"].encode() + b"\r\n\r\n" + body)
    size = len(whole)
    if name == "a.txt":
        assert [part.get_payload() for part in parts.get_payload()] == ["01", "45", "89"]
    assert [part["Content-Range"] for part in parts.get_payload()] == [
        f"bytes 0-1/{size}",
        f"bytes 4-5/{size}",
        f"bytes {size - 2}-{size - 1}/{size}",
    ]
    for piece in (whole[:2], whole[4:6], whole[-2:]):
        assert b"\r\n\r\n" + piece + b"\r\n--" in body


@pytest_twisted.ensureDeferred
async def test_a_range_of_another_version_is_the_whole(desk: Desk, site: Path) -> None:
    service = await start(desk)
    first, _ = await ask(service, path=b"/a.txt")
    for condition, status in (
        (first["etag"], "206"),
        (first["last-modified"], "206"),
        ('"x"', "200"),
        ('W/"x"', "200"),
    ):
        answer, _ = await ask(service, f"Range: bytes=0-1\r\nIf-Range: {condition}\r\n".encode(), path=b"/a.txt")
        assert answer["status"] == status


@pytest_twisted.ensureDeferred
async def test_curl_resumes_a_download(desk: Desk, site: Path, tmp_path: Path) -> None:
    host, port = address(await start(desk))
    whole = (site / "large.bin").read_bytes()
    (tmp_path / "part").write_bytes(whole[:1000])
    command = ["curl", "-sS", "-C", "-", "-o", str(tmp_path / "part"), f"http://{host}:{port}/large.bin"]
    _, err, code = await getProcessOutputAndValue("/usr/bin/env", command, reactor=desk.reactor)
    assert (err, code) == (b"", 0)
    assert (tmp_path / "part").read_bytes() == whole


# -- large files


@pytest_twisted.ensureDeferred
async def test_a_client_that_does_not_read_holds_the_file_back(desk: Desk, site: Path, tape: Tape) -> None:
    with open(site / "huge.bin", "wb") as file:
        file.truncate(100 << 20)
    service = await start(desk)
    peer = Peer(service, receive_buffer=4096)
    peer.push(b"GET /huge.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await peer.expect(b"\r\n\r\n")
    (tap,) = service.connections.values()
    await until(lambda: tap.unsent())
    assert tap.unsent() <= 2 * PIECE
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    head = bytes(peer.got).index(b"\r\n\r\n") + 4
    assert len((await peer.end(60))[head:]) == 100 << 20


@pytest_twisted.ensureDeferred
async def test_a_file_that_shrinks_while_it_is_sent_cuts_the_answer(desk: Desk, site: Path, tape: Tape) -> None:
    path = site / "huge.bin"
    with open(path, "wb") as file:
        file.truncate(100 << 20)
    service = await start(desk)
    peer = Peer(service, receive_buffer=4096)
    peer.push(b"GET /huge.bin HTTP/1.1\r\nHost: x\r\n\r\n")
    await peer.expect(b"\r\n\r\n")
    os.truncate(path, 1 << 20)
    await until(lambda: peer.pull().ended)
    assert peer.ended == "reset"
    (note,) = tape.all("http.response")
    assert note.detail["cut"] == "the file changed while it was sent"
    assert "huge.bin" in tape.all("log")[0].summary
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_a_file_that_grows_is_sent_as_it_was(desk: Desk, site: Path) -> None:
    path = site / "grows.log"
    path.write_bytes(bytes(10 << 20))
    service = await start(desk)
    peer = Peer(service, receive_buffer=4096)
    peer.push(b"GET /grows.log HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await peer.expect(b"\r\n\r\n")
    with open(path, "ab") as file:
        file.write(b"more")
    got = await peer.end()
    assert len(got) - got.index(b"\r\n\r\n") - 4 == 10 << 20


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_closes_the_file(desk: Desk, site: Path, tape: Tape) -> None:
    service = await start(desk)
    large = str(site / "large.bin")
    for _ in range(10):
        peer = Peer(service, receive_buffer=4096)
        peer.push(b"GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        await peer.expect(b"\r\n\r\n")
        peer.reset()
    await until(lambda: not service.connections)
    await until(lambda: large not in open_files())
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_a_large_file_comes_whole_over_http2(desk: Desk, site: Path) -> None:
    service = await desk.start("http", "static", options={"root": "site"}, tls={})
    host, port = address(service)
    command = ["curl", "-sSk", "--http2", f"https://{host}:{port}/large.bin"]
    out, err, code = await getProcessOutputAndValue("/usr/bin/env", command, reactor=desk.reactor)
    assert (err, code) == (b"", 0)
    assert out == (site / "large.bin").read_bytes()


@pytest_twisted.ensureDeferred
async def test_a_large_text_is_compressed_as_it_is_sent(desk: Desk, site: Path) -> None:
    (site / "large.txt").write_bytes(b"line\n" * SMALL)
    host, port = address(await start(desk, compression=True))
    command = ["curl", "-sS", "--compressed", f"http://{host}:{port}/large.txt"]
    out, err, code = await getProcessOutputAndValue("/usr/bin/env", command, reactor=desk.reactor)
    assert (err, code) == (b"", 0)
    assert out == b"line\n" * SMALL


# -- options


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b"])
def test_an_index_is_a_name(name: str) -> None:
    responder = find("static")
    assert responder is not None
    (index,) = [o for o in responder.options if o.name == "index"]
    assert index.problem(name)
    assert not index.problem("default.htm")
