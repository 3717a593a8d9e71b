"""app.workspace.toml_lines."""

import tomllib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.workspace.toml_lines import MOST_KEYS, NotTOMLError, lines_of, loads

SOURCE = '''\
# [[service]] in a comment
version = 1
text = """
[[service]]
name = "inside a text"
"""
dotted.key = 1
"quoted key" = 'a # b'

[[service]]
name = "one"
options = { a = 1, "b c" = [1, [2,
  3]], d.e = 5 }
[[service]]
list = [
  "x",  # ]
  ["y"],

]
[service.options]
name = 2
[[service.fault]]
kind = 3
[[service.fault]]
kind = 4
[ other . "table" ]
x = 2026-11-20 10:00:00
'''


def test_every_key_has_its_line():
    assert lines_of(SOURCE) == {
        ("version",): 2,
        ("text",): 3,
        ("dotted",): 7,
        ("dotted", "key"): 7,
        ("quoted key",): 8,
        ("service",): 10,
        ("service", 0): 10,
        ("service", 0, "name"): 11,
        ("service", 0, "options"): 12,
        ("service", 0, "options", "a"): 12,
        ("service", 0, "options", "b c"): 12,
        ("service", 0, "options", "b c", 0): 12,
        ("service", 0, "options", "b c", 1): 12,
        ("service", 0, "options", "b c", 1, 0): 12,
        ("service", 0, "options", "b c", 1, 1): 13,
        ("service", 0, "options", "d"): 13,
        ("service", 0, "options", "d", "e"): 13,
        ("service", 1): 14,
        ("service", 1, "list"): 15,
        ("service", 1, "list", 0): 16,
        ("service", 1, "list", 1): 17,
        ("service", 1, "list", 1, 0): 17,
        ("service", 1, "options"): 20,
        ("service", 1, "options", "name"): 21,
        ("service", 1, "fault"): 22,
        ("service", 1, "fault", 0): 22,
        ("service", 1, "fault", 0, "kind"): 23,
        ("service", 1, "fault", 1): 24,
        ("service", 1, "fault", 1, "kind"): 25,
        ("other",): 26,
        ("other", "table"): 26,
        ("other", "table", "x"): 27,
    }


def paths(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def test_it_knows_all_that_the_parser_knows():
    assert set(paths(tomllib.loads(SOURCE))) == set(lines_of(SOURCE))


PIECES = st.sampled_from(
    [
        *("a = 1\n", "b.c = [1, [2]]\n", "[t]\n", "[[s]]\n", "[s.u]\n", "x = '''\n]'''\n", 'y = "\\"#"\n', "# z = [\n"),
        *(
            "q = { r = 1, s = [{ t = 2 }] }\n",
            "\n",
            "l = [\n 1,\n # ]\n 2 ]\n",
            '"k.k" = 1.5e3\n',
            "[[s.v]]\n",
            "?",
            "[",
        ),
    ]
)


@given(st.lists(PIECES, max_size=8).map("".join))
@settings(max_examples=300)
def test_it_ends_and_agrees_with_the_parser(source):
    found = lines_of(source)
    try:
        data = tomllib.loads(source)
    except tomllib.TOMLDecodeError:
        return
    assert set(paths(data)) == set(found)
    assert all(1 <= line <= source.count("\n") + 1 for line in found.values())


@given(st.text())
@example("'\x1f'")
@example('"\\q"')
def test_it_ends_on_anything(source):
    assert all(line >= 1 for line in lines_of(source).values())


MANY = MOST_KEYS + 1


@pytest.mark.parametrize(
    "bomb",
    [
        "x = 1\n" + "a." * 300_000 + "b = 1", "\n[[" + "a ." * 300_000 + "b]]", "\n" + '"." . \'.\'.' * MANY + "b = 1",
        'x = ["""\nfoo""", {' + "a." * MANY + "b = 1}]", "\n" + "a." * 300_000,
    ],
)  # fmt: skip
def test_a_key_of_so_many_parts_that_it_would_be_read_for_minutes_is_refused_at_its_line(bomb):
    with pytest.raises(NotTOMLError, match="joins more than 50") as caught:
        loads(bomb)
    assert caught.value.line == 2


@pytest.mark.parametrize(
    "fine",
    [
        "a." * MOST_KEYS + "b = 1", "x = [" + "1.5, " * MANY + "]", "x = '" + "a." * MANY + "'",
        'x = """\n' + "a." * MANY + '\n"""', "x = 1 # " + "a." * MANY, 'x = "\\"' + "a." * MANY + '"',
    ],
)  # fmt: skip
def test_dots_in_anything_but_a_key_are_many_as_ever(fine):
    assert loads(fine) == tomllib.loads(fine)


@pytest.mark.parametrize("piece", ['"\\', '\\"""', "'''", '""" ', "'", '"'])
def test_what_is_no_toml_is_refused_soon_too(piece):
    with pytest.raises(NotTOMLError):
        loads(piece * 200_000 + "\n" + "." * MANY)
