"""A plugin may import ``twisted.internet.reactor``, as some modules of Twisted do: it gets the running reactor."""

from __future__ import annotations

import os
from pathlib import Path

from tests.e2e.workspaces import workspace
from tests.helpers import run

PLUGIN = """
from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.words.protocols import irc

class Says(Protocol):
    def connectionMade(self):
        self.transport.loseConnection()

factory = Factory.forProtocol(Says)
print(type(reactor).__name__)
"""


def test_serve_has_chosen_its_reactor_before_it_loads_plugins(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "says.py").write_text(PLUGIN)
    (tmp_path / "w.toml").write_text(workspace("says tcp says"))
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")}
    done = run("serve", tmp_path / "w.toml", "--trust-plugins", "--for", "0.2", env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PromptEPollReactor\n")
    assert "service.started" in done.stdout
