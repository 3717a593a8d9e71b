"""app.failures.record."""

import json
import tracemalloc
from collections import OrderedDict, defaultdict

import pytest

from app.failures import record as failures
from app.failures.record import FailureRecord, claim, from_json, record


def caught(call, *args):
    try:
        call(*args)
    except BaseException as e:
        return e
    raise AssertionError("nothing was raised")


def raising(error, cause=None):
    raise error from cause


def locals_of(value):
    """The text that a record has for ``value``, a local variable of the frame that raised."""

    def fail(held):
        raise ValueError

    return dict(record(caught(fail, value)).frames[-1].locals)["held"]


# -- what a record has


def test_it_has_type_message_and_the_frame_with_source_and_locals():
    def divide(a, b):
        return a / b

    found = record(caught(divide, 1, 0))
    assert (found.type, found.message) == ("ZeroDivisionError", "division by zero")
    frame = found.frames[-1]
    assert frame.function == "divide"
    assert frame.file == __file__
    assert dict(frame.source)[frame.line].strip() == "return a / b"
    assert frame.locals == (("a", "1"), ("b", "0"))


def test_frames_are_in_pythons_order():
    names = [frame.function for frame in record(caught(raising, ValueError())).frames]
    assert names == ["caught", "raising"]


def test_a_type_of_a_module_carries_its_name():
    assert record(json.JSONDecodeError("no", "", 0)).type == "json.decoder.JSONDecodeError"


def test_the_summary_is_one_line_with_file_and_line():
    found = record(caught(raising, ValueError("first\nsecond")))
    assert found.summary == f"ValueError: first  (test_record.py:{found.frames[-1].line})"


def test_an_exception_that_was_never_raised_has_no_frames():
    assert record(KeyError("x")) == FailureRecord("KeyError", "'x'")


def test_a_traceback_given_stands_in_for_a_lost_one():
    error = caught(raising, ValueError())
    traceback = error.__traceback__
    error.__traceback__ = None
    assert record(error, traceback).frames[-1].function == "raising"


# -- chains and groups


def test_causes_and_contexts_are_told_apart():
    cause = ValueError("cause")
    found = record(caught(raising, TypeError("effect"), cause))
    assert (found.relation, found.cause.message) == ("cause", "cause")

    def handling():
        try:
            raising(ValueError("first"))
        except ValueError:
            raising_second()

    def raising_second():
        raise TypeError("second")

    found = record(caught(handling))
    assert (found.relation, found.cause.message) == ("context", "first")


def test_a_suppressed_context_is_left_out():
    def handling():
        try:
            raising(ValueError())
        except ValueError:
            raise TypeError from None

    found = record(caught(handling))
    assert (found.relation, found.cause) == ("", None)


def test_a_chain_is_cut():
    error = None
    for n in range(100):
        error = caught(raising, ValueError(n), error)
    depth, found = 0, record(error)
    while found.cause:
        depth, found = depth + 1, found.cause
    assert depth == failures.MAX_CAUSES
    assert found.relation == ""


def test_a_chain_in_a_circle_ends():
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert record(one).cause.cause.message == "one"


def test_a_cause_that_counts_as_false_is_kept():
    class EmptyError(Exception):
        def __len__(self):
            return 0

    assert record(caught(raising, ValueError(), EmptyError("why"))).cause.message == "why"


def test_a_group_has_its_members_and_their_frames():
    group = ExceptionGroup("several", [caught(raising, ValueError("a")), ExceptionGroup("in", [KeyError("b")])])
    found = record(group)
    assert found.type == "ExceptionGroup"
    assert [member.message for member in found.members] == ["a", "in (1 sub-exception)"]
    assert found.members[0].frames[-1].function == "raising"
    assert found.members[1].members[0].type == "KeyError"


def test_a_large_group_is_cut():
    found = record(ExceptionGroup("many", [ValueError(n) for n in range(10_000)]))
    assert len(found.members) == failures.MAX_MEMBERS


def test_notes_are_kept():
    error = ValueError()
    error.add_note("seen on port 9007")
    assert record(error).notes == ("seen on port 9007",)


@pytest.mark.parametrize("notes", [7, None, "text", [None, object()]])
def test_notes_of_a_wrong_type_do_no_harm(notes):
    error = ValueError()
    error.__notes__ = notes
    assert all(isinstance(note, str) for note in record(error).notes)


# -- hostile contents


class SpitefulError(Exception):
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


def test_a_raising_str_is_said_instead_of_the_message():
    assert record(SpitefulError()).message == "<its message cannot be shown: RuntimeError>"


def test_a_raising_repr_is_shown_as_such():
    assert "SpitefulError" in locals_of(SpitefulError())
    assert "SpitefulError" in locals_of([SpitefulError()])
    assert "SpitefulError" in locals_of({"key": SpitefulError()})


def test_a_repr_that_is_no_text_does_no_harm():
    class Odd:
        def __repr__(self):
            return 7

    assert "Odd" in locals_of(Odd())


def test_a_deep_recursion_is_cut_in_the_middle():
    def down(n):
        return down(n + 1)

    found = record(caught(down, 0))
    assert found.type == "RecursionError"
    assert len(found.frames) == failures.MAX_FRAMES
    assert found.frames[0].function == "caught"
    # What the innermost call was may differ: whoever traces or measures the code adds its own.
    assert "down" in {frame.function for frame in found.frames[-5:]}


def test_a_recursive_value_is_cut():
    nested = []
    nested.append(nested)
    assert len(locals_of(nested)) < 100


class Payload(bytes):
    pass


LARGE = {
    "bytes": lambda: b"x" * 10_000_000,
    "bytearray": lambda: bytearray(10_000_000),
    "subclass of bytes": lambda: Payload(10_000_000),
    "text": lambda: "x" * 10_000_000,
    "list": lambda: [0] * 2_000_000,
    "dict": lambda: dict.fromkeys(range(1_000_000)),
    "ordered dict": lambda: OrderedDict.fromkeys(range(300_000)),
    "default dict": lambda: defaultdict(int, dict.fromkeys(range(300_000))),
    "set": lambda: set(range(1_000_000)),
    "nested": lambda: {"body": [b"x" * 10_000_000], "more": (b"y" * 1_000_000,) * 100},
    "number": lambda: 1 << 8_000_000,
}


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE.keys())
def test_a_large_local_is_cut_and_never_written_out(make):
    value = make()
    tracemalloc.start()
    try:
        shown = locals_of(value)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 500_000
    assert 0 < len(shown) <= failures.MAX_VALUE * 2


def test_values_are_shown_as_python_writes_them():
    for value in (
        b"ab\xff",
        "text",
        [1, 2],
        {"a": b"b"},
        (),
        set(),
        {1},
        {},
        frozenset(),
        frozenset({1}),
        1.5,
        None,
        Payload(b"x"),
    ):
        assert locals_of(value) == repr(value)


def test_many_locals_and_a_long_message_are_cut():
    scope = {f"name{n}": n for n in range(1000)}
    error = caught(exec, "raise ValueError('x' * 1_000_000)", {}, scope)
    found = record(error)
    assert len(found.message) == failures.MAX_MESSAGE
    assert len(found.frames[-1].locals) == failures.MAX_LOCALS


def test_a_loader_that_breaks_costs_only_the_source():
    class Loader:
        def get_source(self, name):
            raise RuntimeError

    code = compile("raise ValueError", "<strange file>", "exec")
    found = record(caught(exec, code, {"__name__": "strange", "__loader__": Loader()}))
    assert found.frames[-1].file == "<strange file>"
    assert found.frames[-1].source == ()


# -- storing


def test_json_and_back_is_the_same_record():
    error = ExceptionGroup("g", [caught(raising, ValueError("\udcff\n\0"), KeyError("why"))])
    error.add_note("note")
    found = record(error)
    assert from_json(json.loads(json.dumps(found.as_json()))) == found


def test_a_record_without_members_can_still_be_read():
    """Captures of older versions have no ``members``."""
    stored = record(ValueError("x")).as_json()
    del stored["members"]
    assert from_json(stored) == record(ValueError("x"))


# -- claiming


def test_an_exception_is_claimed_once():
    error = ValueError()
    assert [claim(error), claim(error)] == [True, False]


def test_another_exception_with_the_same_text_is_another():
    assert [claim(ValueError("x")), claim(ValueError("x"))] == [True, True]


def test_an_exception_that_takes_no_mark_is_not_lost():
    class ClosedError(Exception):
        def __setattr__(self, name, value):
            raise AttributeError(name)

    assert claim(ClosedError())
