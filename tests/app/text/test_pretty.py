"""JSON and XML on lines of their own."""

from __future__ import annotations

import json
import re
from itertools import islice
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.pretty import MAX_INDENT, json_lines, xml_lines

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_json_looks_as_python_writes_it(value: Any) -> None:
    assert "\n".join(json_lines(json.dumps(value))) == json.dumps(value, indent=2)


def test_json_keeps_the_digits_and_doubled_names() -> None:
    assert list(json_lines('{"a":1.50e1,"a":100000000000000000000001}')) == [
        "{", '  "a": 1.50e1,', '  "a": 100000000000000000000001', "}",
    ]  # fmt: skip


def test_values_one_after_the_other_have_lines_of_their_own() -> None:
    assert list(json_lines('{"a":1}\n{}\n3 [1]')) == ["{", '  "a": 1', "}", "{}", "3", "[", "  1", "]"]


@given(st.text(alphabet='{}[]",: a1\\\n', max_size=60))
def test_json_that_is_none_loses_nothing_but_white_space(text: str) -> None:
    joined = "".join(json_lines(text))
    assert re.sub(r"\s", "", joined) == re.sub(r"\s", "", text)


def test_xml_has_a_line_for_each_element() -> None:
    text = '<?xml version="1.0"?><a b="c>d"><!-- e --><f>g &amp; h</f><i/><j></j>k<l><![CDATA[<m>]]></l></a>'
    assert list(xml_lines(text)) == [
        '<?xml version="1.0"?>', '<a b="c>d">', "  <!-- e -->", "  <f>g &amp; h</f>", "  <i/>", "  <j></j>", "  k",
        "  <l><![CDATA[<m>]]></l>", "</a>",
    ]  # fmt: skip


@given(st.text(alphabet="<>/!?-[]\"'= a&\n", max_size=60))
def test_xml_that_is_none_loses_nothing_but_white_space(text: str) -> None:
    joined = "".join(xml_lines(text))
    assert re.sub(r"\s", "", joined) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (json_lines, "[" * 250_000),
        (json_lines, '"' * 250_001),
        (json_lines, '{"a":' * 50_000),
        (xml_lines, "<!--" * 60_000),
        (xml_lines, '<a "' * 60_000),
        (xml_lines, "<a>" * 80_000),
        (xml_lines, "<" * 250_000),
    ],
)
def test_no_text_takes_long_or_becomes_much_longer(lines: Any, text: str) -> None:
    start = perf_counter()
    for line in islice(lines(text), 20_000):
        assert len(line) <= MAX_INDENT + len(text)
    assert perf_counter() - start < 5
