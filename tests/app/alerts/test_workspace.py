"""Alerts in a workspace: what is wrong with them and where, saving, and what the user is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from app.alerts.alert import MAX_ALERTS, Alert
from app.alerts.mail import Mail
from app.plugin_loader.table import TABLE
from app.post import Post
from app.workspace import reading
from app.workspace.gate import Gate
from app.workspace.saving import save

HEAD = 'version = 1\n\n[[service]]\nname = "api"\nprotocol = "http"\nlisten = "127.0.0.1:1"\n\n'

GOOD = f"""{HEAD}[[alert]]               # for the night
name = "errors"
when = 'http.status >= 500'
count = 10
quiet_seconds = 300.0   # the default
then = ["notify", "webhook https://example.org/hook", "mail qa@example.org", "stop api"]

[[alert]]
name = "fails"
when = "failure"

[mail]
server = "mail.example.org"   # ours
from = "post@example.org"
user = "post"
"""


def problems(text: str) -> list[str]:
    return [str(problem) for problem in reading.parse(text)[1]]


def test_what_is_read() -> None:
    workspace, wrong = reading.parse(GOOD)
    assert wrong == []
    then = ("notify", "webhook https://example.org/hook", "mail qa@example.org", "stop api")
    assert workspace.alerts == (
        Alert("errors", "http.status >= 500", 10, then=then), Alert("fails", "failure"),
    )  # fmt: skip
    assert workspace.mail == Mail("mail.example.org", "post@example.org", user="post")
    assert workspace.mail.address == "mail.example.org:587"


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("http.status >= 500", "http.status >=", "10: when: is not a filter: at character 15, "),
        ("http.status >= 500", "nothing == 5", "10: when: is not a filter: at character 1, "),
        ("http.status >= 500", "", "10: when: must be a filter"),
        ("http.status >= 500", "note exists", "10: when: cannot name note"),
        ('"errors"', '"fails"', '16: name: "fails" is taken'),
        ("count = 10", "count = 0", "11: count: must be at least 1"),
        ("count = 10", "counts = 10", "11: counts: is unknown"),
        ("stop api", "stop web", '13: then: stops "web"'),
        ('"notify"', '"fax 1"', "13: then: fax 1 is nothing that an alert can do. Use one of mail ADDRESS, notify"),
        ('"notify"', '"notify me"', "13: then: notify takes nothing after it"),
        ("webhook https://example.org/hook", "webhook tcp://x:1", "13: then: webhook needs a URL"),
        ("mail qa@example.org", "mail qa@example.org\\r\\nBcc: x", "13: then: mail must be an address"),
        ("mail qa@example.org", "mail", "13: then: mail needs ADDRESS after it, as in mail qa@example.org"),
        ('"post@example.org"', '"post"', "21: mail.from: must be an address"),
        ('user = "post"', 'user = "post"\ntls = "none"', "23: mail.tls: would send the password for all to read"),
        ('user = "post"', 'password = "x"', "22: mail.password: is unknown"),
    ],
)
def test_each_problem_is_told_at_its_line(old: str, new: str, wanted: str) -> None:
    found = problems(GOOD.replace(old, new, 1))
    assert len(found) == 1, found
    assert found[0].startswith(wanted)


def test_there_are_not_more_than_can_be_looked_at() -> None:
    many = "".join(f'[[alert]]\nname = "a{number}"\nwhen = "x"\n' for number in range(MAX_ALERTS + 1))
    assert problems(HEAD + many) == [
        f"{8 + 3 * MAX_ALERTS + 1}: name: is one too many: a workspace has {MAX_ALERTS} alerts at most"
    ]


def test_saving_keeps_what_is_written_and_changes_what_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "w.toml"
    path.write_text(GOOD + 'tls = "starttls"        # the default, too\n')
    workspace = reading.load(path)
    save(workspace, path)
    kept = path.read_text()
    assert 'tls = "starttls"        # the default, too' in kept
    assert "[[alert]]               # for the night" in kept
    assert "quiet_seconds = 300.0   # the default" in kept
    assert 'server = "mail.example.org"   # ours' in kept
    first = replace(workspace.alerts[0], count=20, then=("sound",))
    save(replace(workspace, alerts=(workspace.alerts[1], first, Alert("new", "x")), mail=None), path)
    again = reading.load(path)
    assert again.alerts == (workspace.alerts[1], first, Alert("new", "x"))
    assert again.mail is None
    assert "# for the night" in path.read_text()
    save(replace(workspace, alerts=(), mail=workspace.mail), path)
    assert "alert" not in path.read_text()
    assert reading.load(path).mail == workspace.mail


# -- trust


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "w.toml"
    path.write_text(f"{GOOD}# of {tmp_path}")  # what is trusted is remembered by its content
    return path


HOOK, QA = "webhook https://example.org/hook", "mail qa@example.org"


def test_somebody_else_s_alerts_are_part_of_the_question(path: Path) -> None:
    gate = Gate()
    gate.enter(reading.load(path))
    TABLE.enter(None)
    question = gate.question([])
    assert question is not None
    assert [f"{ask.kind} {ask}" for ask in question.asks] == [
        "reach the alert “errors” sends to https://example.org/hook",
        "reach the alert “errors” sends mail to qa@example.org through mail.example.org:587",
        "stop the alert “errors” stops the service api",
        "tell the alert “errors” shows notifications",
        "tell the alert “fails” shows notifications",
    ]
    assert "sends mail to qa@example.org" in str(gate.withheld("errors", QA))
    assert gate.withheld("errors", HOOK, True) is not None  # not by the button either, while it is not answered
    assert gate.withheld("errors", "stop api") is not None
    assert "shows notifications" in str(gate.withheld("errors", "notify"))
    assert "makes sounds" in str(gate.withheld("errors", "sound"))
    gate.allow("content", [])
    assert gate.withheld("errors", QA) is None
    assert gate.withheld("errors", "notify") is None
    again = Gate()
    again.enter(reading.load(path))
    assert again.question([]) is None


def test_what_the_user_makes_is_allowed_unless_a_question_is_open(path: Path) -> None:
    gate = Gate()
    gate.enter(reading.load(path))
    own = Alert("own", "x", then=("webhook https://mine.example/",))
    gate.alerts_changed((own,), None, by_user=True)
    assert gate.withheld("own", own.then[0]) is not None
    path.write_text(HEAD)
    gate.enter(reading.load(path))
    gate.alerts_changed((own,), None, by_user=False)
    assert gate.withheld("own", own.then[0]) is not None
    gate.enter(reading.load(path))
    assert gate.withheld("own", own.then[0], True) is None
    gate.alerts_changed((own,), None, by_user=True)
    assert gate.withheld("own", own.then[0]) is None
    TABLE.enter(None)


@pytest_twisted.ensureDeferred
async def test_a_post_undoes_and_withholds(path: Path, tmp_path: Path) -> None:
    from twisted.internet import reactor

    post = Post(reactor, reading.load(path))
    await post.open(tmp_path / "x.lpost")
    try:
        assert list(post.alerts.watched) == ["errors", "fails"]
        outcome = await post.alerts.attempt(post.state().alerts[0], HOOK)
        assert not outcome.done
        assert "Not allowed" in outcome.words
        before = post.state()
        await post.become(replace(before, alerts=()))
        assert not post.alerts.watched
        await post.become(before, by_user=False)
        assert list(post.alerts.watched) == ["errors", "fails"]
        assert post.state() == before
        await post.load(reading.Workspace())
        assert not post.alerts.watched
    finally:
        TABLE.enter(None)
        await Deferred.fromCoroutine(post.shut_down())
