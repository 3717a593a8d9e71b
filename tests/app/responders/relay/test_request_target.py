"""app.responders.relay.request_target"""

from __future__ import annotations

import pytest

from app.responders.relay.request_target import below, of_websocket


@pytest.mark.parametrize(
    ("target", "passed_on"),
    [
        (b"/../x", b"/base/x"),
        (b"/a/../../../x", b"/base/x"),
        (b"/a/b/..", b"/base/a/"),
        (b"/..", b"/base/"),
        (b"/.", b"/base/"),
        (b"/a/./b", b"/base/a/b"),
        (b"/%2e%2E/x", b"/base/x"),
        (b"/.%2e/x", b"/base/x"),
        (b"http://evil/../x", b"/base/x"),
        (b"http://evil/..?y=../z", b"/base/?y=../z"),
        (b"/../a//../b", b"/base/a/b"),
    ],
)
def test_dot_segments_do_not_leave_the_base(target: bytes, passed_on: bytes):
    assert below(b"/base", target) == passed_on


@pytest.mark.parametrize("target", [b"/x//y?q=%20&", b"/...", b"/a..b/.c/", b"/%2f..%2e./", b"/x?../..", b"/", b"//"])
def test_other_paths_keep_their_bytes(target: bytes):
    assert below(b"/base", target) == b"/base" + target


@pytest.mark.parametrize("target", [b"/../x", b"/a/./b", b"/x"])
def test_without_a_base_all_paths_keep_their_bytes(target: bytes):
    assert below(b"", target) == target


@pytest.mark.parametrize(
    ("target", "passed_on"),
    [
        (b"http://h/x?y", b"/x?y"),
        (b"http://h", b"/"),
        (b"http://h?a=b/c", b"/?a=b/c"),
        (b"x", b"/"),
        (b"*", b"*"),
    ],
)
def test_the_absolute_form_becomes_a_path(target: bytes, passed_on: bytes):
    assert below(b"", target) == passed_on


@pytest.mark.parametrize(
    ("own", "target", "passed_on"),
    [
        ("/base", "/chat/7?token=x", "/base/chat/7?token=x"),
        ("/base/", "/chat", "/base/chat"),
        ("/", "/chat/7?token=x", "/chat/7?token=x"),
        ("/", "/", "/"),
        ("/base", "/", "/base"),
        ("/base", "/?token=x", "/base?token=x"),
        ("/base?key=1", "/", "/base?key=1"),
        ("/base?key=1", "/a?token=x", "/base/a?key=1&token=x"),
        ("/base", "/../x", "/base/x"),
        ("/base", "/..", "/base/"),
        ("/base", "/a//b/", "/base/a//b/"),
        ("/base", "ws://evil/../x?y=1", "/base/x?y=1"),
        ("/base", "/caf\xe9?\xff", "/base/caf%E9?%FF"),
        ("/base", "/a%20b?c=%2F", "/base/a%20b?c=%2F"),
    ],
)
def test_c7_a_websocket_handshake_keeps_path_and_query(own: str, target: str, passed_on: str):
    assert of_websocket(own, target) == passed_on
