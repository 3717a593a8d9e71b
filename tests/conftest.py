"""What every test stands on: our reactor under a QApplication, and errors that do not pass unseen.

The order of the first lines matters: the application, then the reactor, then whatever may
import the reactor. pytest-twisted (``--reactor=qt5reactor``) finds ours and keeps it, since
it is a subclass of qt5reactor's.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import hypothesis
import pytest
from PyQt5.QtWidgets import QApplication
from zope.interface import declarations

from tests import preloaded, writers
from ui.looks import english
from ui.reactor import install

# What is loaded and found for the tests stays: to look through it for garbage again and again took a fifth of the time
# to find them. Each test ends with a collection. Few more are made while it runs, for tests that leave much.
gc.set_threshold(50_000, 100, 100)

# The application takes on the language of the environment, and so do programs that tests start. What the system
# says of an error is compared in English.
for name in [name for name in os.environ if name.startswith(("LC_", "LANG"))]:
    del os.environ[name]
os.environ["LC_ALL"] = "C.UTF-8"

# The platform is an argument, not an environment variable: programs that the tests start do
# not inherit it.
application = QApplication(["tests", "-platform", os.environ.get("QT_QPA_PLATFORM", "offscreen")])
english.install(application)
reactor = install()

import pytest_twisted  # noqa: E402
from twisted.internet.task import deferLater  # noqa: E402
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher  # noqa: E402
from twisted.python.failure import Failure  # noqa: E402

from tests.declared import checked_recorder, declared_events  # noqa: E402, F401

# A shell has what it starts in the background ignore Ctrl+C, and so would the programs that tests start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Programs that tests start read what others of them have compiled: else each spends half its start on it.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(__file__).parents[1] / "build" / "pycache"))

# Whom else the machine trusts is nothing to us, and to read some 140 certificates takes 50 ms for each client.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("nobody.pem"))

preloaded.mothers_environment = dict(os.environ)
writers.install()

# What a transport provides is worked out once, as in a program that has connections all the time, not anew in each
# test because the last one's have been collected: it is a fifth of what a test of one connection takes.
declarations.InstanceDeclarations = {}

# How long an example takes says how busy the machine is, and what was found once is found each time.
STEADY = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], derandomize=True)
hypothesis.settings.register_profile("steady", STEADY)
hypothesis.settings.register_profile("search", STEADY, derandomize=False, max_examples=2000)
hypothesis.settings.load_profile("steady")

CLOSING = 5.0
"""Seconds that connections may use for closing after a test."""


class LoggedError(Exception):
    """Stands for an error that was logged as text, without a Failure."""


class LoggedFailures:
    """The errors that Twisted's log got during one test. Calling it takes them out.

    A test that expects errors takes them; those left at its end fail it.
    """

    def __init__(self) -> None:
        self._failures: list[Failure] = []

    def observe(self, event: LogEvent) -> None:
        if event.get("log_format") == "Unhandled error in Deferred:":
            return  # only a heading: the failure follows in an event of its own
        level = event.get("log_level")
        failure = event.get("log_failure") or event.get("failure")
        if failure is None and (event.get("isError") or (level is not None and level >= LogLevel.error)):
            failure = Failure(LoggedError(formatEvent(event)))
        if failure is not None:
            self._failures.append(failure)

    def __call__(self, *types: type[BaseException]) -> list[Failure]:
        """Take the failures of ``types`` (without any: all) out of the list; oldest first."""
        # A Deferred tells of its unhandled error when it is collected.
        gc.collect()
        taken = [f for f in self._failures if not types or f.check(*types)]
        self._failures = [f for f in self._failures if f not in taken]
        return taken


@contextmanager
def observed() -> Iterator[LoggedFailures]:
    """What Twisted's log gets for as long as this lasts."""
    failures = LoggedFailures()
    globalLogPublisher.addObserver(failures.observe)
    try:
        yield failures
    finally:
        globalLogPublisher.removeObserver(failures.observe)


@pytest.fixture(scope="session", autouse=True)
def nothing_unseen_at_the_end() -> Iterator[None]:
    """Collect at the end what ``logged_failures`` has kept out: an error in it fails the run."""
    gc.collect()
    yield
    gc.unfreeze()
    with observed() as failures:
        left = failures()
    _fail_for(left)


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Programs under test keep their files away from the developer's own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        patch.delenv("LISTENING_POST_DATA", raising=False)
        yield
        preloaded.end()
        writers.end()


@pytest.fixture(autouse=True)
def logged_failures(request: pytest.FixtureRequest) -> Iterator[Callable[..., list[Failure]]]:
    """Fail the test if an error is logged that it does not take by calling this."""
    # What is there already is left out of the test's collections, which would take most of many tests' time.
    gc.freeze()
    with observed() as failures:
        yield failures
        request.node.funcargs.clear()  # what the other fixtures gave is done with
        left = failures()
    _fail_for(left)


def _fail_for(left: list[Failure]) -> None:
    if left:
        pytest.fail("Logged and not expected:\n\n" + "\n".join(f.getTraceback() for f in left), pytrace=False)


@pytest.fixture(autouse=True)
def no_delayed_calls_left(logged_failures: object) -> Iterator[None]:
    """Fail the test if it leaves a delayed call behind in the reactor."""
    before = set(reactor.getDelayedCalls())
    yield
    # Connections that are closing may use a round or two for it, and more where the machine is busy.
    for _ in range(2):
        pytest_twisted.blockon(deferLater(reactor, 0, lambda: None))
    first = left = [call for call in reactor.getDelayedCalls() if call not in before]
    deadline = monotonic() + CLOSING
    while left and monotonic() < deadline and not any(call.called for call in first):
        pytest_twisted.blockon(deferLater(reactor, 0.005, lambda: None))
        left = [call for call in reactor.getDelayedCalls() if call not in before]
    for call in left:
        call.cancel()
    # One whose time came was left behind as well: nobody cancelled it.
    left += [call for call in first if call.called]
    if left:
        pytest.fail("Left in the reactor:\n" + "\n".join(map(str, left)), pytrace=False)
