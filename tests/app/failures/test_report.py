"""app.failures.report."""

from __future__ import annotations

import platform

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import __version__
from app.failures import record as failures
from app.failures.record import FailureRecord, Frame
from app.failures.report import HIDDEN, place, report

LIBRARY = Frame(
    "/venv/lib/python3.11/site-packages/twisted/internet/tcp.py", 250, "doRead", ((250, "return f()"),), (("a", "1"),)
)


def own(*values: tuple[str, str], source: str = "raise ValueError(data)") -> Frame:
    return Frame("/home/ann/plugins/meter.py", 38, "handle", ((37, "try:"), (38, source)), values)


def of(*values: tuple[str, str], message: str = "no reading", payload: bytes | None = None, **more: str) -> str:
    return report(FailureRecord("ValueError", message, (LIBRARY, own(*values, **more))), payload)


def test_it_says_what_where_how_often_and_with_which_versions() -> None:
    text = report(
        FailureRecord("ValueError", "no reading", (LIBRARY, own(("n", "7")))),
        count=1200, first=10**18, last=10**18 + 60 * 10**9, services=["hub", "web"],
    )  # fmt: skip
    assert text.splitlines()[:6] == [
        "# ValueError: no reading",
        "",
        "- Seen 1,200 times, from 2001-09-09 01:46:40 UTC to 2001-09-09 01:47:40 UTC",
        "- Services: hub, web",
        text.splitlines()[4],
        "",
    ]
    assert f"Listening Post {__version__}, Python {platform.python_version()}, Twisted " in text
    assert '  File "~/plugins/meter.py", line 38, in handle' in text
    assert '  File "twisted/internet/tcp.py", line 250, in doRead' in text
    assert "n = 7" in text
    assert "a = 1" not in text  # of a library


@pytest.mark.parametrize("name", ["password", "db_passwd", "SECRET", "token", "api_key", "Authorization", "cookie"])
def test_what_is_called_like_a_secret_is_not_shown(name: str) -> None:
    assert f"{name} = {HIDDEN}" in of((name, "17"))
    assert "4711" not in of(("d", f"{{{name!r}: 4711}}"))


@pytest.mark.parametrize(
    "value",
    ["'hunter2'", "b'hunter2'", '"hunter2"', r"'it\'s hunter2'", "['hunter2', 1]", "Bearer hunter2",
     "b'hunter2'… (1,000 bytes)", "'cut hunter2"],
)  # fmt: skip
def test_no_text_and_no_bytes_of_a_value_are_shown(value: str) -> None:
    assert "hunter2" not in of(("v", value))


@pytest.mark.parametrize("value", ["7", "-1.5", "None", "True", "[1, 2]", "<Meter object>", "{1: 2}"])
def test_numbers_and_names_of_types_stay(value: str) -> None:
    assert f"v = {value}" in of(("v", value))


def test_what_came_from_the_payload_is_taken_out_of_messages_and_notes() -> None:
    record = FailureRecord("ValueError", "bad reading NaN-7 here", (own(),), notes=("line NaN-7 of 12",))
    text = report(record, b"temp=NaN-7\n")
    assert "NaN-7" not in text
    assert "bad reading … here" in text


def test_a_message_about_a_secret_is_not_shown() -> None:
    assert "# ValueError: " + HIDDEN in of(message="wrong password hunter2")


@pytest.mark.parametrize("peer", ["10.1.2.3:5000", "10.1.2.3", "[::1]:9007", "[fe80::1%eth0]:7", "2001:db8::7"])
def test_no_address_is_shown(peer: str) -> None:
    text = of(("peer", f"IPv4Address(TCP, {peer})"), message=f"lost {peer}")
    assert peer not in text


def test_a_secret_in_the_code_is_not_shown() -> None:
    assert "hunter2" not in of(source="password = 'hunter2'")
    assert "unit = 'C'" in of(source="unit = 'C'")


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("/home/ann/plugins/meter.py", "~/plugins/meter.py"),
        ("C:\\Users\\Ann Lee\\plugins\\meter.py", "~/plugins/meter.py"),
        ("/Users/ann/meter.py", "~/meter.py"),
        ("/root/meter.py", "~/meter.py"),
        ("/srv/plugins/meter.py", "/srv/plugins/meter.py"),
        ("/home/ann/.venv/lib/python3.11/site-packages/twisted/tcp.py", "twisted/tcp.py"),
        ("<string>", "<string>"),
    ],
)
def test_paths_do_not_say_whose_home_it_was(file: str, wanted: str) -> None:
    assert place(file) == wanted


def test_causes_and_members_are_in_it() -> None:
    cause = FailureRecord("KeyError", "'temp'", (own(),))
    member = FailureRecord("OSError", "gone", (own(),))
    text = report(FailureRecord("RuntimeError", "no", (own(),), relation="cause", cause=cause, members=(member,)))
    assert text.index("KeyError: '…'") < text.index("direct cause of") < text.index("RuntimeError: no\n  ---- 1 of 1")
    assert "  OSError: gone" in text


def test_nothing_ends_the_block_before_its_end() -> None:
    assert of(source="x = '```'").count("```") == 2


@given(st.binary(min_size=6, max_size=60), st.text(max_size=30))
def test_bytes_of_the_payload_never_show(payload: bytes, extra: str) -> None:
    def handle(data: bytes, text: str, both: tuple[bytes, str]) -> None:
        raise ValueError(f"cannot read {data!r}: {extra}")

    try:
        handle(payload, payload.decode("latin-1"), (payload, extra))
    except ValueError as e:
        record = failures.record(e)
    text = report(record, payload)
    assert repr(payload)[2:-1] not in text or len(repr(payload)) < 9


def test_a3_it_says_that_events_around_it_are_missing() -> None:
    record = FailureRecord("ValueError", "no reading", ())
    assert "not complete" not in report(record)
    text = report(record, missing="3 events that happened are missing here: too fast")
    assert "- The capture is not complete around it: 3 events that happened are missing here: too fast\n" in text
