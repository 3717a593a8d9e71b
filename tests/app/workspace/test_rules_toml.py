"""Rules as TOML, to be copied and pasted."""

from __future__ import annotations

import contextlib
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.workspace.errors import RulesUnreadableError
from app.workspace.rules_toml import rules_from_toml, rules_to_toml

RULES = [
    {"method": "GET", "path": "/users/{id}", "template": True, "body": '{"id": "{{path.id}}"}', "delay": 0.5},
    {"path": r"~^/v\d+/", "times": 2, "answer_fields": ["A: b"], "body": "one\n  two\n"},
]
WRITTEN = """\
[[service.options.rules]]
method = "GET"
path = "/users/{id}"
template = true
body = '{"id": "{{path.id}}"}'
delay = 0.5

[[service.options.rules]]
path = '~^/v\\d+/'
times = 2
answer_fields = ["A: b"]
body = '''
one
  two
'''
"""


def test_rules_are_written_as_a_workspace_has_them() -> None:
    assert rules_to_toml(RULES) == WRITTEN
    assert rules_from_toml(WRITTEN, "mock", "http") == tuple(RULES)


def test_long_lists_have_an_item_a_line() -> None:
    steps = [f"send {'x' * 60}", "wait 1"] * 2
    written = rules_to_toml([{"then": steps}])
    assert written.count("\n") == 7
    assert rules_from_toml(written, "script", "tcp") == ({"then": steps},)


@pytest.mark.parametrize(
    "text",
    [
        'path = "/a"\nstatus = 201',
        '[[rules]]\npath = "/a"\nstatus = 201',
        '[rules]\npath = "/a"\nstatus = 201',
        'rules = [{path = "/a", status = 201}]',
        '[[options.rules]]\npath = "/a"\nstatus = 201',
        '[[service.options.rules]]\npath = "/a"\nstatus = 201',
        'version = 1\n[[service]]\n[[service]]\nname = "y"\n[[service.options.rules]]\npath = "/a"\nstatus = 201',
    ],
)
def test_rules_are_found_wherever_they_stand(text: str) -> None:
    assert rules_from_toml(text, "mock", "http") == ({"path": "/a", "status": 201},)


def test_all_rules_of_all_services_are_taken() -> None:
    services = "".join(f'[[service]]\n[[service.options.rules]]\npath = "/{n}"\n' for n in "ab")
    assert [rule["path"] for rule in rules_from_toml(services, "mock", "http")] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There are none in the text: write [[service.options.rules]] before each."),
        ("version = 1\n[[service]]\nname = 'x'", "There are none in the text"),
        ("path = ", "Line 1: this is not TOML: Invalid value."),
        ("# x\n\n[[rules]]\npath = '/a'\nstatus = 1000", "Line 5: status must be at most 599."),
        (
            "[[rules]]\npath = '/a'\n[[rules]]\nquery = [\n  'a',\n  '=b',\n]",
            'Line 6: query has "=b". Write name=value',
        ),
        ("when = 'text'", "Line 1: when is unknown. Use one of method, path,"),
        ("rules = [1]", "Line 1: a rule is a table: write [[service.options.rules]] before its keys."),
        ("[[rules]]\nbody = 'x'\nfile = 'y'", "Line 2: body and file cannot both be the answer. Leave out one."),
        ("\n".join(f"a{n} = 1" for n in range(9)), "And 6 more."),
        ("[[rules]]\n" * 1001, "Line 1: must be at most 1,000 rules."),
        ("status = 99999999999999999999", "Line 1: this number has more than the 64 bits that TOML has."),
        ("a = " + "[" * 5000, "Line 1: this "),
        ("#" * 4_000_001, "The text is larger than 4.0 MB."),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, words: str) -> None:
    with pytest.raises(RulesUnreadableError) as raised:
        rules_from_toml(text, "mock", "http")
    assert words in str(raised.value)
    assert str(raised.value).startswith("These rules cannot be used here. ")


def test_rules_are_those_of_the_responder_and_protocol() -> None:
    raw = "[[rules]]\nthen = ['raw x']"
    assert rules_from_toml(raw, "script", "tcp") == ({"then": ["raw x"]},)
    with pytest.raises(RulesUnreadableError, match="Line 2: then step 1: raw is not for udp"):
        rules_from_toml(raw, "script", "udp")
    for responder in ("echo", "nobody"):
        with pytest.raises(RulesUnreadableError, match=f"{responder} has no rules on tcp"):
            rules_from_toml(raw, responder, "tcp")


_TEXT = st.text(alphabet=st.sampled_from("ab'\"\\\n\r\t{}=[]#é\x00\x7f\u2028\U0001f600 "), max_size=12)
_VALUE = st.one_of(_TEXT, st.booleans(), st.integers(-5, 5), st.floats(0, 9), st.lists(_TEXT, max_size=4))


@given(
    st.lists(st.dictionaries(st.sampled_from(["path", "body", "on", "delay", "query"]), _VALUE), min_size=1, max_size=3)
)
def test_any_rules_are_read_as_they_were_written(rules: list[dict[str, Any]]) -> None:
    written = rules_to_toml(rules)
    assert tomllib.loads(written)["service"]["options"]["rules"] == rules


@given(st.text(max_size=60))
def test_any_text_is_rules_or_told_in_words(text: str) -> None:
    with contextlib.suppress(RulesUnreadableError):
        assert rules_from_toml(text, "mock", "http")
