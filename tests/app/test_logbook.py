"""app.logbook."""

import gc
import json
import sys
import threading
import warnings

import pytest
from twisted.internet import defer
from twisted.internet.task import Clock
from twisted.logger import Logger, globalLogPublisher
from twisted.python import log
from twisted.python.failure import Failure

from app import events
from app.capture.recorder import FIELDS, Recorder
from app.logbook import Logbook


class Reactor(Clock):
    """A clock with the two calls of a reactor that a logbook makes."""

    def __init__(self):
        super().__init__()
        self.stopped = 0
        self.handed_over = []

    def stop(self):
        self.stopped += 1

    def callFromThread(self, call, *args):
        self.handed_over.append(threading.get_ident())
        self.callLater(0, call, *args)


class Book:
    def __init__(self):
        self.reactor = Reactor()
        self.recorder = Recorder(self.reactor)
        self.logbook = Logbook(self.reactor, self.recorder)

    def events(self):
        """Kind and summary of what was recorded."""
        self.reactor.advance(0)
        flat = self.recorder._pending
        rows = [flat[i : i + FIELDS] for i in range(0, len(flat), FIELDS)]
        return [(row[1], row[6]) for row in rows]

    def failures(self):
        self.reactor.advance(0)
        details = [json.loads(d) for d in self.recorder._pending[7::FIELDS] if d]
        return [(d["type"], d["message"]) for d in details]


@pytest.fixture
def book():
    made = Book()
    made.logbook.open()
    yield made
    made.logbook.close()


def error(text="boom"):
    try:
        raise ValueError(text)
    except ValueError as e:
        return e


def in_thread(call, *args):
    thread = threading.Thread(target=call, args=args)
    thread.start()
    thread.join()


# -- one failure, by each way


def test_legacy_log_err_is_recorded(book, logged_failures):
    log.err(Failure(error()))
    assert book.failures() == [("ValueError", "boom")]
    assert logged_failures(ValueError)


def test_a_loggers_failure_is_recorded_with_its_frames(book, logged_failures):
    Logger().failure("while testing", Failure(error()))
    assert book.failures() == [("ValueError", "boom")]
    detail = json.loads(book.recorder._pending[7])
    assert detail["frames"][-1]["function"] == "error"
    assert logged_failures(ValueError)


def test_a_failure_that_was_cleaned_is_recorded(book, logged_failures):
    failure = Failure(error())
    failure.cleanFailure()
    log.err(failure)
    assert book.failures() == [("ValueError", "boom")]
    assert logged_failures(ValueError)


def test_an_unhandled_deferred_is_recorded_once_and_without_its_heading(book, logged_failures):
    defer.fail(error())
    gc.collect()
    assert book.failures() == [("ValueError", "boom")]
    assert len(book.events()) == 1
    assert logged_failures(ValueError)


def test_one_exception_by_every_way_is_recorded_once(book, logged_failures):
    same = error()
    book.recorder.record_failure(same, payload=b"the bytes")
    log.err(Failure(same))
    Logger().failure("again", Failure(same))
    defer.fail(same)
    gc.collect()
    sys.excepthook(ValueError, same, same.__traceback__)
    assert book.failures() == [("ValueError", "boom")]
    assert logged_failures(ValueError)


def test_two_exceptions_alike_are_recorded_twice(book, logged_failures):
    log.err(Failure(error()))
    log.err(Failure(error()))
    assert len(book.failures()) == 2
    assert logged_failures(ValueError)


def test_what_python_cannot_hand_to_anybody_is_recorded(book):
    sys.excepthook(ValueError, error("hook"), None)

    class Final:
        def __del__(self):
            raise error("finaliser")

    Final()
    gc.collect()
    in_thread(lambda: (_ for _ in ()).throw(error("thread")))
    assert book.failures() == [("ValueError", "hook"), ("ValueError", "finaliser"), ("ValueError", "thread")]


def test_an_exception_class_without_a_value_is_recorded(book):
    sys.excepthook(ValueError, None, None)
    assert book.failures() == [("ValueError", "")]


# -- what is no failure


def test_ctrl_c_in_a_slot_stops_the_reactor(book):
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert book.reactor.stopped == 1
    assert book.events() == []


def test_a_thread_that_ends_itself_is_no_failure(book):
    in_thread(sys.exit)
    assert book.events() == []


def test_warnings_become_one_line(book):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = book.logbook.on_warning
        warnings.warn("old\nways", DeprecationWarning, stacklevel=1)
    [(kind, line)] = book.events()
    assert kind == events.LOG
    assert line.startswith("DeprecationWarning: old ways  (")


def test_a_warning_turned_error_is_a_failure_like_another(book, logged_failures):
    with pytest.raises(UserWarning, match="now an error") as caught:
        warnings.warn("now an error", UserWarning, stacklevel=1)
    log.err(Failure(caught.value))
    assert book.failures() == [("UserWarning", "now an error")]
    assert logged_failures(UserWarning)


def test_only_warnings_and_worse_are_kept_of_the_log(book, logged_failures):
    logger = Logger()
    logger.info("quiet")
    log.msg("quiet, too")
    logger.warn("heard {n}", n=1)
    logger.critical("worse")
    log.msg("legacy", isError=True)
    assert [line for _, line in book.events()] == ["heard 1", "worse", "legacy"]
    assert len(logged_failures()) == 2


def test_what_cannot_be_formatted_leaves_a_line(book):
    Logger().warn("{missing.attribute}", missing=None)
    [(_, line)] = book.events()
    assert line.isprintable()
    assert line


def test_control_characters_do_not_reach_the_line(book):
    Logger().warn("red \x1b[31m and \u202e back")
    assert book.events() == [(events.LOG, r"red \e[31m and \xe2\x80\xae back")]


def test_long_lines_are_cut(book):
    Logger().warn("x" * 1_000_000)
    assert len(book.events()[0][1]) == 2000


# -- threads


def test_other_threads_hand_over_to_the_reactor(book, logged_failures):
    in_thread(lambda: Logger().warn("from afar"))
    in_thread(lambda: log.err(Failure(error())))
    assert book.recorder.seen == 0
    assert [line.partition("  ")[0] for _, line in book.events()] == ["from afar", "ValueError: boom"]
    assert threading.get_ident() not in book.reactor.handed_over
    assert logged_failures(ValueError)


# -- its end


def test_closing_puts_everything_back():
    places = [(sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"), (warnings, "showwarning")]
    before = [getattr(*place) for place in places]
    book = Book()
    book.logbook.open()
    assert all(getattr(*place) != old for place, old in zip(places, before, strict=True))
    book.logbook.close()
    assert [getattr(*place) for place in places] == before
    Logger().warn("nobody listens")
    assert book.events() == []
    assert book.logbook not in globalLogPublisher._observers
