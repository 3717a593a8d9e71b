"""Tables ``[[service.fault]]`` of a workspace: what is wrong with them, and where."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app import faults
from app.errors import PostError
from app.faults.tables import MAX_FAULTS
from app.options import Mistake, Option, Options
from app.workspace.reading import parse

HEAD = """version = 1
[[service]]
name = "a"
protocol = "{}"
listen = "127.0.0.1:0"
[[service.fault]]
kind = "delay"
[[service.fault]]
"""


def problems(table: str, protocol: str = "tcp") -> list[tuple[int, str, str]]:
    return [(p.line, p.key, p.text) for p in parse(HEAD.format(protocol) + table)[1]]


@pytest.mark.parametrize(
    ("table", "line", "words"),
    [
        ('kind = "dealy"', 9, 'number 2: kind "dealy" is unknown. Use one of close, '),
        ("kind = 5", 9, "number 2: kind must be text. Use one of close,"),
        ("ms = 5", 8, "number 2: kind is missing. Use one of close,"),
        ('kind = "delay"\nms = "5"', 10, "number 2: ms must be a number, as in 100.0"),
        ('kind = "delay"\n\n# why\njitter_ms = -1', 12, "number 2: jitter_ms must be at least 0"),
        ('kind = "cut"\non = "received"', 10, 'number 2: on "received" is not for "cut". Use sent'),
        ('kind = "delay"\npeer = [\n"10.0.0.0/8",\n"x",\n]', 12, 'number 2: peer "x" is not an address'),
        ('kind = "delay"\nmatch = \'\\q\'', 10, "number 2: match "),
        ('kind = "delay"\nmatch_regex = "("', 10, "number 2: match_regex "),
        ('kind = "delay"\nname = "x"\n[[service.fault]]\nkind = "delay"\nname = "x"', 13,
            'number 3: name "x" is already the name of fault number 2'),
        ('kind = "delay"\nname = "a\\u001b[2J"', 10, "number 2: name must be one line of at most 60 characters"),
        (f'kind = "delay"\nname = "{"x" * 61}"', 10, "number 2: name must be one line of at most 60 characters"),
        ('kind = "delay"\nbytes = 5', 10,
            'number 2: bytes is an option of cut, garbage, slice, not of "delay". It has ms, jitter_ms,'),
        ('kind = "delay"\nmili = 5', 10, 'number 2: mili is not an option of "delay". It has ms, jitter_ms,'),
        ('kind = "delay"\npath = "/x"', 10, "number 2: path is for http, not for tcp"),
        ('kind = "delay"\nuntil_seconds = 5\nfrom_seconds = 6', 10,
            "number 2: until_seconds must be more than the beginning, 6 s"),
        ('kind = "delay"\nperiod_seconds = 5', 10, "number 2: period_seconds needs until_seconds"),
        ('kind = "delay"\nnth = 5\nfirst = 3', 10, "number 2: nth is never reached"),
        ('kind = "delay"\nevery = 5\nfirst = 3', 10, "number 2: every is never reached"),
        ('kind = "delay"\nevery = 2\nnth = 3', 11, "number 2: nth never hits together with every"),
        ('kind = "cut"\nbytes = 5\npart = 0.5', 11, "number 2: part and bytes cannot be set together"),
    ],
)  # fmt: skip
def test_a_mistake_is_at_the_line_of_its_table_key_and_item(table: str, line: int, words: str) -> None:
    [(at, key, text)] = problems(table)
    assert (at, key) == (line, "fault")
    assert text.startswith(words)


def test_all_mistakes_are_told_each_at_its_line() -> None:
    found = problems('kind = "delay"\nms = -1\nprobability = 2\n[[service.fault]]\nkind = "x"')
    assert [line for line, _, _ in found] == [10, 11, 13]


def test_tables_in_one_line_are_found_too() -> None:
    source = HEAD.format("tcp").partition("[[service.fault]]")[0]
    source += 'fault = [\n  { kind = "delay" },\n  { kind = "delay", ms = -1 },\n]\n'
    assert [(p.line, p.text) for p in parse(source)[1]] == [(8, "number 2: ms must be at least 0")]


@pytest.mark.parametrize("value", ["5", '["delay"]', '{ kind = "delay" }'])
def test_what_is_no_list_of_tables(value: str) -> None:
    source = HEAD.format("tcp").partition("[[service.fault]]")[0] + f"fault = {value}"
    assert [(p.line, p.key, p.text) for p in parse(source)[1]] == [
        (6, "fault", "must be tables that begin with [[service.fault]]")
    ]


def test_a_kind_is_not_for_every_protocol() -> None:
    [(_, _, text)] = problems('kind = "reset"', "udp")
    assert text.startswith('number 2: kind "reset" is not for udp. Use one of corrupt, ')


def test_a_protocol_without_faults_says_so() -> None:
    source = HEAD.format("ssh").replace('"echo"', '"manhole"') + 'kind = "delay"'
    assert {text for _, text in ((p.line, p.text.partition(": ")[2]) for p in parse(source)[1])} == {
        "kind is not for ssh, whose services have no faults"
    }


def test_there_may_not_be_too_many() -> None:
    more = 'kind = "delay"\n' + '[[service.fault]]\nkind = "delay"\n' * (MAX_FAULTS - 1)
    [(line, _, text)] = problems(more)
    assert line == 8 + 2 * (MAX_FAULTS - 1)
    assert text.startswith(f"number {MAX_FAULTS + 1}: is one too many")


@pytest.mark.parametrize("seed", ["-1", "1.5", "true", '"7"'])
def test_a_seed_is_a_whole_number(seed: str) -> None:
    source = HEAD.format("tcp").replace("[[service.fault]]", f"seed = {seed}\n[[service.fault]]", 1)
    assert [(p.line, p.key) for p in parse(source + 'kind = "delay"')[1]] == [(6, "seed")]


# -- kinds of plugins


@pytest.fixture
def kind() -> Iterator[None]:
    def check(options: Options, protocol: str, on: str) -> Iterator[Mistake]:
        if options["count"] == 3:
            raise KeyError("oops")
        if options["count"] == 2:
            yield Mistake("count", "must not be 2")

    options = (Option("count", int, 1, "How many"),)
    faults.add(faults.FaultKind("mine", "Mine", lambda hit: "", ("tcp",), ("sent",), options, check=check))
    yield
    faults.remove("mine")


@pytest.mark.parametrize(
    ("count", "words"),
    [
        ("1", None),
        ("2", "number 2: count must not be 2"),
        ("3", "number 2: kind \"mine\" cannot check its options: KeyError: 'oops'"),
        ('"x"', "number 2: count must be a whole number"),
    ],
)
@pytest.mark.usefixtures("kind")
def test_the_kind_of_a_plugin_is_checked_as_ours(count: str, words: str | None) -> None:
    found = problems(f'kind = "mine"\ncount = {count}')
    assert [text[: len(words or "")] for _, _, text in found] == ([words] if words else [])


def test_the_options_of_a_kind_that_is_not_loaded_yet_are_not_looked_at() -> None:
    why = PostError()
    faults.add(faults.FaultKind("later", "Later", lambda hit: "", ("tcp",), ("sent",), missing=why))
    try:
        assert problems('kind = "later"\nanything = 1') == []
        assert problems('kind = "later"', "udp")
    finally:
        faults.remove("later")
