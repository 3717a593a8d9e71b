"""app.capture.keeping.redaction."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture.keeping import errors
from app.capture.keeping.redaction import Fields, Redactor, masked

HEAD = (
    b"GET / HTTP/1.1\r\nHost: x\r\nauthorization: Basic c2VjcmV0\r\nCookie: a=1;\r\n  b=2\r\nAccept: */*\r\n\r\ncookie"
)
CLEAN = (
    b"GET / HTTP/1.1\r\nHost: x\r\nauthorization: ***** ********\r\nCookie: ****\r\n  ***\r\nAccept: */*\r\n\r\ncookie"
)


def through(redactor, pieces, conn=1, received=True):
    """The pieces as they are after the last of them was seen."""
    done = {}
    for id, piece in enumerate(pieces, 1):
        done[id], before = redactor.stream(conn, id, piece, received=received)
        for old, spans in before:
            length = len(done[old])
            done[old] = masked(done[old], [(length + start, length + end) for start, end in spans])
    return b"".join(done.values())


def cut(data, places):
    places = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def test_values_of_secret_fields_are_gone_and_their_names_stay():
    assert masked(HEAD, Fields().spans(HEAD)) == CLEAN


@given(st.lists(st.integers(0, 200), max_size=12))
def test_it_does_not_matter_where_reads_cut_a_field(places):
    assert through(Redactor(), cut(HEAD, places)) == CLEAN


@given(st.lists(st.integers(0, 200), max_size=12))
def test_a_pattern_is_found_across_reads(places):
    data = b"a token=s3cret-value; and token=other1 here"
    assert through(Redactor([r"token=([\w-]+)"]), cut(data, places)) == b"a token=************; and token=****** here"


def test_the_other_direction_is_another_stream():
    redactor = Redactor(["secret"])
    assert redactor.stream(1, 1, b"sec", received=True) == (b"sec", [])
    assert redactor.stream(1, 2, b"ret", received=False) == (b"ret", [])
    assert redactor.stream(1, 3, b"ret", received=True) == (b"***", [(1, [(-3, 0)])])


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_sizes_and_white_space_stay(data, places):
    clean = through(Redactor(["[a-m]+"]), cut(data, places))
    assert len(clean) == len(data)
    assert [i for i, b in enumerate(clean) if b in b"\r\n\t "] == [i for i, b in enumerate(data) if b in b"\r\n\t "]


def test_a_value_is_taken_out_where_a_server_sends_it_back():
    redactor = Redactor()
    noted = redactor.detail({"fields": [["Host", "x"], ["Authorization", 'Basic "c2VjcmV0']]}, 1)
    assert noted == {"fields": [["Host", "x"], ["Authorization", "*" * 15]]}
    answer = json.dumps({"fields": [["Authorization", 'Basic "c2VjcmV0']]}).encode()
    assert b"c2VjcmV0" not in redactor.stream(1, 2, answer, received=False)[0]
    assert b"c2VjcmV0" in redactor.stream(2, 3, answer, received=False)[0], "another connection's"


def test_local_values_of_failures_go():
    detail = {"type": "E", "frames": [{"file": "x.py", "locals": [["password", "'hunter2'"]]}], "cause": None}
    assert Redactor().detail(detail) == {"type": "E", "frames": [{"file": "x.py", "locals": []}], "cause": None}


def test_patterns_reach_texts_and_details():
    redactor = Redactor([r"hunter\d"])
    assert redactor.text("said hünter hunter2") == "said hünter *******"
    assert redactor.detail({"a": ["hunter2", {"b": "hunter3"}]}) == {"a": ["*******", {"b": "*******"}]}


def test_what_is_no_expression_is_said():
    with pytest.raises(errors.PatternError, match=r"The pattern \( is not a regular expression"):
        Redactor(["("])


def test_datagrams_stand_for_themselves():
    assert Redactor().whole(b"Cookie: x") == b"Cookie: *"
