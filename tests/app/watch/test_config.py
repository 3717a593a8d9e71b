"""app.watch.config, and [[watch]] in a workspace."""

import pytest

from app.watch.config import MAX_WATCHES, WatchConfig, made_of, mistakes
from app.workspace import reading, saving

SERVICES = {"echo": "tcp", "pages": "http", "prompt": None, "secure": "https", "grams": "udp"}


def wrong(**table):
    return [(m.option, m.text) for m in mistakes({"name": "a", "target": "echo"} | table, SERVICES)]


@pytest.mark.parametrize(
    ("key", "words", "table"),
    [
        ("target", "is neither the name of a service of this workspace", {"target": "echos"}),
        ("target", "must begin with one of tcp://", {"target": "gopher://127.0.0.1"}),
        ("target", "the port is missing", {"target": "tcp://127.0.0.1"}),
        ("target", "there is no client for its protocol", {"target": "prompt"}),
        ("target", "at most 2,000 characters", {"target": "http://127.0.0.1/" + "a" * 2000}),
        ("name", "must be text without spaces around it", {"name": " a"}),
        ("name", "at most 60 characters", {"name": "a" * 61}),
        ("name", "none of them invisible", {"name": "a\u202eb"}),
        ("every_seconds", "must be at least 1", {"every_seconds": 0.5}),
        ("timeout_seconds", "must be at most 60", {"timeout_seconds": 61}),
        ("send", r"\q is not an escape", {"send": r"\q"}),
        ("send", "is not for http", {"target": "pages", "send": "x"}),
        ("send", "is missing", {"target": "udp://127.0.0.1:9"}),
        ("send", "is missing", {"target": "grams"}),
        ("expect_regex", "is not a regular expression", {"expect_regex": "("}),
        ("expect_regex", "at most 2,000 characters", {"expect_regex": "a" * 2001}),
        ("expect_status", 'must be statuses, as in "200..299"', {"target": "pages", "expect_status": "2xx"}),
        ("expect_status", "must be statuses", {"target": "pages", "expect_status": "299..200"}),
        ("expect_status", "is not for tcp", {"expect_status": "200"}),
        ("certificate_days", "is not for http, which has no TLS", {"target": "pages", "certificate_days": 3}),
        ("certificate_days", "is not for udp", {"target": "grams", "send": "x", "certificate_days": 3}),
        ("fails_after", "must be at least 1", {"fails_after": 0}),
        ("every", "is unknown. Use one of name, target", {"every": 1}),
    ],
)
def test_says_what_is_wrong(key, words, table):
    [(option, text)] = wrong(**table)
    assert option == key
    assert words in text


def test_takes_what_is_right():
    assert wrong(send=r"PING\r\n", expect="PONG", every_seconds=10, expect_regex="P.NG") == []
    assert wrong(target="https://localhost/health", expect_status="200, 301..308", certificate_days=30) == []
    assert wrong(target="secure", certificate_days=30) == []


def test_statuses_that_are_well():
    watch = WatchConfig("a", "http://127.0.0.1", expect_status="200..299, 404")
    assert [watch.well(status) for status in (199, 200, 299, 300, 404)] == [False, True, True, False, True]


FILE = """version = 1

[[service]]
name = "echo"
protocol = "tcp"
listen = "127.0.0.1:9007"

# how it is
[[watch]]
name = "it answers"   # me
target = "echo"
every_seconds = 10    # the default
send = 'PING\\r\\n'
expect = "PING"
"""


def test_a_workspace_has_watches(tmp_path):
    workspace, problems = reading.parse(FILE)
    assert problems == []
    assert workspace.watches == (WatchConfig("it answers", "echo", send="PING\\r\\n", expect="PING", every_seconds=10),)


def test_says_where_in_the_file():
    source = FILE.replace('target = "echo"', 'target = "echos"').replace('"PING"', "1")
    _, problems = reading.parse(source + '[[watch]]\nname = "b"\ntarget="echo"\n' * 2)
    assert [(p.line, p.key) for p in problems] == [(11, "target"), (14, "expect"), (19, "name")]
    assert "is another watch's already" in problems[-1].text


def test_a_watch_may_name_a_service_that_is_wrong_otherwise():
    _, problems = reading.parse(FILE.replace(":9007", ":x"))
    assert [p.key for p in problems] == ["listen"]


def test_their_number_is_bounded():
    tables = "".join(f'[[watch]]\nname = "{i}"\ntarget = "echo"\n' for i in range(MAX_WATCHES))
    workspace, [problem] = reading.parse(FILE + tables)
    assert "a workspace has 100 watches at most" in problem.text
    assert len(workspace.watches) == MAX_WATCHES


def test_saving_keeps_what_stays(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(FILE)
    workspace = reading.load(path)
    saving.save(workspace, path)
    assert path.read_text() == FILE
    from dataclasses import replace

    [watch] = workspace.watches
    saving.save(replace(workspace, watches=(replace(watch, fails_after=1),)), path)
    assert path.read_text() == FILE + "fails_after = 1\n"
    other = made_of({"name": "b", "target": "tcp://127.0.0.1:1", "expect": 'a"b\\n'})
    saving.save(replace(workspace, watches=(other, watch)), path)
    assert reading.load(path).watches == (other, watch)
    assert "# me" in path.read_text()
    saving.save(replace(workspace, watches=()), path)
    assert "[[watch]]" not in path.read_text()
    assert reading.load(path).services == workspace.services
