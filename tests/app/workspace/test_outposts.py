"""app.workspace.outposts: the outposts of a workspace, and what it allows as one."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.trust.asks import Ask
from app.workspace import saving
from app.workspace.gate import Gate, all_asks
from app.workspace.outposts import OutpostConfig, asks_of, name_problem, target_problem
from app.workspace.reading import Workspace, parse


def test_outposts_are_read_and_saved_with_their_comments(tmp_path):
    text = (
        'version = 1\n\n[[outpost]]\nname = "pi"  # beside the device\ntarget = "pi@bench-3"\nhistory = false\n\n'
        '[[outpost]]\nname = "here"\ntarget = "/run/lab/s"\n'
    )
    workspace, problems = parse(text)
    assert not problems
    assert workspace.outposts == (
        OutpostConfig("pi", "pi@bench-3", history=False), OutpostConfig("here", "/run/lab/s"),
    )  # fmt: skip
    path = tmp_path / "w.toml"
    path.write_text(text)
    saving.save(workspace, path)
    assert path.read_text() == text
    saving.save(replace(workspace, outposts=workspace.outposts[:1]), path)
    assert path.read_text() == text.partition('\n[[outpost]]\nname = "here"')[0]


def test_what_it_allows_is_read_and_saved(tmp_path):
    text = 'version = 1\n[outpost]\nallow = "control"  # for the lab\n'
    workspace, problems = parse(text)
    assert (workspace.allow, problems) == ("control", [])
    (tmp_path / "w.toml").write_text(text)
    saving.save(workspace, tmp_path / "w.toml")
    assert (tmp_path / "w.toml").read_text() == text
    saving.save(workspace, tmp_path / "new.toml")
    assert 'allow = "control"' in (tmp_path / "new.toml").read_text()
    assert parse("version = 1\n[outpost]\n")[0].allow == "read"
    assert parse("version = 1\n")[0].allow == ""


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[[outpost]]\nname = "a/b"\ntarget = "x"', "3: name: must not have a slash"),
        ('[[outpost]]\nname = " "\ntarget = "x"', "3: name: must be text"),
        ('[[outpost]]\nname = "a"\ntarget = "-oProxyCommand=date"', "4: target: must be the path of a socket"),
        ('[[outpost]]\nname = "a"', "target: is missing"),
        ('[[outpost]]\nname = "a"\ntarget = "x"\ncommand = ""', "5: command: must not be empty"),
        ('[[outpost]]\nname = "a"\ntarget = "x"\nkee = 1', "5: kee: is unknown"),
        ('[[outpost]]\nname = "a"\ntarget = "x"\n[[outpost]]\nname = "a"\ntarget = "y"', '6: name: "a" is taken'),
        ('[[outpost]]\nname = "a"\ntarget = "wss://a b/ws"', "4: target: must be the address of a router"),
        ('[[outpost]]\nname = "a"\ntarget = "x"\npublic_key = "1"', "5: public_key: must be the line"),
        ('[outpost]\nallow = "all"', '3: outpost.allow: "all" is unknown'),
        ("[outpost]\nname = 1", "3: outpost.name: is unknown"),
        ("outpost = 5", "outpost: must be tables that begin with [[outpost]]"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(table, said):
    _, problems = parse(f"version = 1\n{table}\n")
    assert said in "\n".join(map(str, problems))


@pytest.mark.parametrize(
    "target",
    [
        "pi@bench-3",
        "bench",
        "ssh://pi@bench-3:2222",
        "10.0.0.7",
        "ssh://pi@[fe80::1]:22",
        "/run/s",
        "./s",
        "~/s",
        "wss://router.lab:8443/ws",
        "wss://[fe80::1]/ws",
        "ws://127.0.0.1:8080/ws",
    ],
)
def test_hosts_of_ssh_and_paths_of_sockets_are_targets(target):
    assert target_problem(target) is None


@pytest.mark.parametrize(
    "target",
    [
        "", "-x", "-oProxyCommand=touch /tmp/x", "pi@-oProxyCommand=x", "ssh://-x", "a b", "$(date)", "a;b", "a`b`",
        "a\nb", "x" * 501, "-x@host", "wss://", "wss://a b", "wss://pi@router/ws", "http://router/ws",
    ],
)  # fmt: skip
def test_nothing_else_is(target):
    """No host may be an option of SSH, nor mean something to a shell."""
    assert target_problem(target)


def test_a_name_is_one_line_without_a_slash():
    assert name_problem("pi 3") is None
    assert all(map(name_problem, ["", " a", "a/b", "a\nb", "a\u202eb", "x" * 61]))


def test_the_user_is_asked_before_it_connects():
    far, near = OutpostConfig("pi", "pi@bench-3"), OutpostConfig("near", "/run/s")
    lab = OutpostConfig("pi-3", "wss://router.lab/ws")
    assert [ask.kind for ask in asks_of([far, near, lab])] == ["run", "reach", "reach"]
    workspace = Workspace(path=Path("w.toml"), outposts=(far, near))
    assert all_asks(workspace)[0] == Ask(
        "run", "", "outpost pi@bench-3 listening-post outpost",
        "connects to pi@bench-3 by SSH, and runs there: listening-post outpost",
    )  # fmt: skip
    gate = Gate()
    gate.enter(workspace)
    assert "pi@bench-3" in str(gate.held_outpost(far))
    gate.allow("content", [])
    assert gate.held_outpost(far) is None
    other = replace(far, command="rm -rf .")
    gate.outposts_changed([other, near], by_user=False)
    assert "rm -rf" in str(gate.held_outpost(other))
    gate.outposts_changed([far, near], by_user=False)
    gate.outposts_changed([other, near], by_user=True)
    assert gate.held_outpost(other) is None


RELAYS = """version = 1
[[outpost]]
name = "rack-1"
target = "/run/lab/s"
[[service]]
name = "one"
protocol = "tcp"
listen = "127.0.0.1:9001"
responder = "relay"
[service.options]
upstream = "rack-9/echo"
[[service]]
name = "several"
protocol = "http"
listen = "127.0.0.1:9002"
responder = "relay"
[service.options]
upstreams = [
  "rack-1/web",
  "http://127.0.0.1:9",
  "rack-8/web",
]
"""


def test_a_relay_to_an_outpost_that_is_not_read_is_a_mistake_at_its_line(tmp_path):
    assert [(problem.line, problem.key, problem.text) for problem in parse(RELAYS, tmp_path)[1]] == [
        (11, "options.upstream", 'names an outpost that the workspace does not read: "rack-9". There are rack-1'),
        (
            21,
            "options.upstreams",
            'number 3 names an outpost that the workspace does not read: "rack-8". There are rack-1',
        ),
    ]
    workspace, problems = parse(RELAYS)  # it can be opened all the same
    assert len(workspace.services) == 2
    assert problems == []
    without = RELAYS.replace("[[outpost]]", "[outpost]").replace('name = "rack-1"\ntarget = "/run/lab/s"\n', "")
    assert [problem.text.endswith("Add a table [[outpost]]") for problem in parse(without, tmp_path)[1]] == [True] * 3


WATCHES = """version = 1
[[watch]]
name = "there"
target = "rack-1/web"
expect_status = "200"
[[watch]]
name = "nowhere"
target = "rack-9/web"
[[outpost]]
name = "rack-1"
target = "/run/lab/s"
"""


def test_a_watch_on_an_outpost_that_is_not_read_is_a_mistake_at_its_line(tmp_path):
    assert [(problem.line, problem.key, problem.text) for problem in parse(WATCHES, tmp_path)[1]] == [
        (8, "target", 'names an outpost that the workspace does not read: "rack-9". There are rack-1')
    ]
    workspace, problems = parse(WATCHES)  # it can be opened all the same
    assert ([watch.target for watch in workspace.watches], problems) == (["rack-1/web", "rack-9/web"], [])
