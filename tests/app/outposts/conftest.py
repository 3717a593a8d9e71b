"""An outpost to talk to, and a console."""

from types import SimpleNamespace

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from app.outposts.console import Console
from app.outposts.outpost import Outpost
from app.outposts.ways.socket import ControlSocket
from app.post import Post
from app.services.config import ServiceConfig
from app.workspace.reading import Workspace
from tests.helpers import short_folder


@pytest.fixture
def folder():
    with short_folder() as made:
        yield made


@pytest.fixture
def bench(folder, tmp_path):
    """An outpost with an echo, and its socket: ``post``, ``outpost``, ``socket``, ``path``; ``listen`` listens anew."""
    post = Post(reactor, Workspace((ServiceConfig("echo", "tcp", "127.0.0.1", 0, "echo"),)))
    outpost = Outpost(reactor, post, "bench", "change")
    pytest_twisted.blockon(post.open(tmp_path / "bench.lpost"))
    made = SimpleNamespace(post=post, outpost=outpost, path=folder / "s")
    made.listen = lambda: setattr(made, "socket", ControlSocket(reactor, made.path, outpost))
    made.listen()
    yield made
    pytest_twisted.blockon(Deferred.fromCoroutine(made.socket.close()))
    outpost.close()
    pytest_twisted.blockon(Deferred.fromCoroutine(post.shut_down()))


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A console without outposts."""
    monkeypatch.setattr("app.outposts.console.LOOK_AGAIN", 0.01)
    post = Post(reactor, Workspace())
    pytest_twisted.blockon(post.open(tmp_path / "desk.lpost"))
    made = SimpleNamespace(post=post, console=Console(reactor, post, "desk"))
    made.console.open()
    yield made
    pytest_twisted.blockon(Deferred.fromCoroutine(made.console.close()))
    pytest_twisted.blockon(Deferred.fromCoroutine(made.post.shut_down()))
