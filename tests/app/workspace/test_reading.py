"""app.workspace.reading."""

import string
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.config import ServiceConfig
from app.workspace import errors, service_checks
from app.workspace import reading as workspace
from app.workspace.problems import Problem
from app.workspace.reading import Workspace, load, parse, problems_of

GOOD = """\
version = 1

[[service]]
name = "echo"
protocol = "tcp"
listen = "127.0.0.1:9007"
responder = "echo"
autostart = true
"""


def problems(source):
    return [(p.line, p.key, p.text) for p in parse(source)[1]]


def only_problem(source):
    [problem] = problems(source)
    return problem


def service(**changes):
    """A workspace with one service, of which some keys are other TOML, or left out by None."""
    keys = {"name": '"a"', "protocol": '"tcp"', "listen": '"127.0.0.1:1"', "responder": '"echo"'} | changes
    return "version = 1\n[[service]]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items() if v is not None)


def websocket(**changes):
    return service(protocol='"websocket"', **changes)


# -- reading


def test_a_service_is_read_with_all_its_keys(tmp_path):
    source = GOOD.replace('"tcp"', '"websocket"')
    (tmp_path / "w.toml").write_text(source + "[service.options]\nsubprotocols = ['a', 'b']\n")
    loaded = load(tmp_path / "w.toml")
    options = {"subprotocols": ["a", "b"]}
    assert loaded.services == (ServiceConfig("echo", "websocket", "127.0.0.1", 9007, "echo", True, options),)
    assert loaded.path == tmp_path / "w.toml"


def test_what_is_left_out_has_its_default():
    [found] = parse(service(responder=None))[0].services
    assert (found.responder, found.autostart, found.options) == ("echo", False, {})


def test_a_service_may_have_a_group():
    [found] = parse(service(group='"Werkbank ✓"'))[0].services
    assert found.group == "Werkbank ✓"
    assert parse(service())[0].services[0].group == ""


def test_the_demo_has_nothing_wrong():
    demo = load(Path(__file__).parents[3] / "resources" / "demo.toml")
    assert [(s.name, s.listen) for s in demo.services] == [
        ("tcp-echo", "127.0.0.1:9007"), ("udp-echo", "127.0.0.1:9008"),
        ("http-inspector", "127.0.0.1:9080"), ("ws-echo", "127.0.0.1:9081"),
    ]  # fmt: skip


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_files_of_every_editor_are_read(tmp_path, start, end):
    (tmp_path / "w.toml").write_bytes(start + GOOD.encode().replace(b"\n", end))
    assert len(load(tmp_path / "w.toml").services) == 1


def test_an_empty_workspace_is_one():
    assert parse("version = 1") == (Workspace(), [])


# -- what is wrong, and where


@pytest.mark.parametrize(
    ("source", "line", "key", "words"),
    [
        ("", 1, "version", "is missing: the first line must be version = 1"),
        ("version = '1'", 1, "version", "must be 1"),
        ("version = true", 1, "version", "must be 1"),
        ("version = 0", 1, "version", "must be 1"),
        ("# new\nversion = 2", 2, "version", "2 is from a newer Listening Post; this one reads 1"),
        ("version = 1\nname = 'x'", 2, "name", "is unknown. A workspace has version, [variables], [[service]]"),
        ("version = 1\n[tool.x]\ny = 1", 2, "tool", "is unknown"),
        ("version = 1\nservice = 5", 2, "service", "must be tables that begin with [[service]]"),
        ("version = 1\n[service]\nname = 'x'", 2, "service", "must be tables that begin with [[service]]"),
        ("version = 1\nservice = [1]", 2, "service", "must be tables that begin with [[service]]"),
        (service(name=None), 2, "name", 'is missing: write name = "tcp-echo"'),
        (service(name="5"), 3, "name", 'must be text, as in name = "tcp-echo"'),
        (service(name='" "'), 3, "name", "must be text"),
        (service(name=f'"{"x" * 61}"'), 3, "name", "at most 60 characters"),
        (service(name='"a\\nb"'), 3, "name", "must be one line"),
        (service(protocol=None), 2, "protocol", 'is missing: write protocol = "tcp"'),
        (service(protocol='"ftp"'), 4, "protocol", '"ftp" is unknown. Use one of tcp, udp, http, websocket'),
        (service(protocol="[]"), 4, "protocol", "must be text"),
        (service(listen=None), 2, "listen", 'is missing: write listen = "127.0.0.1:9007"'),
        (service(listen="9007"), 5, "listen", 'must be text, as in listen = "127.0.0.1:9007"'),
        (service(listen='"9007"'), 5, "listen", "Write host:port, as in 127.0.0.1:9007 or [::1]:9007"),
        (service(listen='"127.0.0.1:70000"'), 5, "listen", "Write host:port"),
        (service(listen='"::1:9007"'), 5, "listen", "Write host:port"),
        (service(listen='"300.0.0.1:9007"'), 5, "listen", "Write host:port"),
        (service(responder='"nothing"'), 6, "responder", '"nothing" is unknown. For tcp use one of'),
        (service(responder='"inspector"'), 6, "responder", '"inspector" does not serve tcp. For tcp use one of'),
        (service(responder="1"), 6, "responder", "must be text. For tcp use one of"),
        (service(autostart='"yes"'), 7, "autostart", "must be true or false"),
        (service(autostart="1"), 7, "autostart", "must be true or false"),
        (service(group="1"), 7, "group", 'must be text, as in group = "Bench"'),
        (service(group='"a\\nb"'), 7, "group", "must be one line of at most 60 characters"),
        (service(group='"a\\tb"'), 7, "group", "must not have a control or invisible character: number 2 is U+0009"),
        (service(group='"a "'), 7, "group", "without spaces around it"),
        (service(group=f'"{"g" * 61}"'), 7, "group", "must be one line of at most 60 characters"),
        (service(group='" a"'), 7, "group", "without spaces around it"),
        (service(color='"red"'), 7, "color", "is unknown. A service has name, protocol, listen"),
        (service(options="5"), 7, "options", "must be a table: [service.options]"),
        (websocket(options="{ speed = 1 }"), 7, "options.speed", 'for websocket. It has subprotocols'),
        (service(options="{ speed = 1 }"), 7, "options.speed", 'is not an option of "echo" for tcp. It has none'),
        (service(options="{ subprotocols = [] }"), 7, "options.subprotocols", 'of "echo" for websocket, not for tcp'),
        (service() + "[service.options]\nspeed = 1", 8, "options.speed", 'is not an option of "echo"'),
        (service() + "options.speed = 1", 7, "options.speed", 'is not an option of "echo"'),
        (websocket() + "options.subprotocols = 1", 7, "options.subprotocols", "must be a list of texts, as in []"),
        (websocket() + "options.subprotocols = ['a', 1]", 7, "options.subprotocols", "must be a list of texts"),
        ("version = 1\nservice = [\n{ name = 'a', protocol = 'tcp', listen = 1 }]", 3, "listen", "must be text"),
    ],
)  # fmt: skip
def test_each_problem_has_its_line_key_and_what_would_be_right(source, line, key, words):
    found = only_problem(source)
    assert found[:2] == (line, key)
    assert words in found[2]


@pytest.mark.parametrize(
    ("source", "line"),
    [("version = 1\nname =", 2), ("version = 1\n\n[[service]\n", 3), ("x = 1\nx = 2", 2), ('a = "x\n', 1), ("[a", 1)],
)
def test_what_is_not_toml_is_said_with_its_line(source, line):
    found = only_problem(source)
    assert found[:2] == (line, "")
    assert found[2].startswith("this is not TOML: ")
    assert "at line" not in found[2]


def test_two_services_of_one_name():
    second = service(listen='"127.0.0.1:2"').removeprefix("version = 1\n")
    assert only_problem(service() + second) == (8, "name", '"a" is taken in line 3. Give each service its own')


def two(one, other, protocols=("tcp", "tcp")):
    sources = [
        service(name=f'"{n}"', listen=f'"{listen}"', protocol=f'"{protocol}"')
        for n, listen, protocol in zip("ab", (one, other), protocols, strict=True)
    ]
    return sources[0] + sources[1].removeprefix("version = 1\n")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("127.0.0.1:9", "127.0.0.1:9"), ("127.0.0.1:9", "0.0.0.0:9"), ("0.0.0.0:9", "127.0.0.1:9"),
        ("[::1]:9", "[0:0:0:0:0:0:0:1]:9"), ("[::]:9", "[::1]:9"), ("[::]:9", "127.0.0.1:9"), ("0.0.0.0:9", "[::]:9"),
        ("localhost:9", "LocalHost:9"),
    ],
)  # fmt: skip
def test_two_services_on_one_address(one, other):
    found = only_problem(two(one, other))
    assert found == (
        10,
        "listen",
        f'{parse(two(one, other))[0].services[1].listen} is taken by "a". Choose another port',
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [("127.0.0.1:9", "127.0.0.1:8"), ("127.0.0.1:9", "127.0.0.2:9"), ("[::1]:9", "127.0.0.1:9"), ("a:0", "a:0"),
     ("0.0.0.0:9", "[::1]:9")],
)  # fmt: skip
def test_two_services_on_different_addresses(one, other):
    assert problems(two(one, other)) == []


def test_tcp_and_udp_share_a_port():
    assert problems(two("127.0.0.1:9", "127.0.0.1:9", ("tcp", "udp"))) == []


def test_all_problems_are_told_in_order_of_lines(tmp_path):
    path = tmp_path / "w.toml"
    path.write_text("version = 3\n[[service]]\nname = 1\n[[service]]\nname = 'b'\nlisten = 'x'\nprotocol = 'tcp'\n")
    with pytest.raises(errors.WorkspaceError) as caught:
        load(path)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [f"{path}:1", "version"], [f"{path}:2", "protocol"], [f"{path}:2", "listen"], [f"{path}:3", "name"],
        [f"{path}:6", "listen"],
    ]  # fmt: skip
    assert problems_of(path) == parse(path.read_text())[1]


def test_a_problem_without_a_key_is_written_without_one():
    assert str(Problem(3, "", "text")) == "3: text"


RULES = """version = 1
[[service]]
name = "m"
protocol = "http"
listen = "127.0.0.1:0"
responder = "mock"
[[service.options.rules]]
path = "/a"
[[service.options.rules]]
{}
"""


@pytest.mark.parametrize(
    ("rule", "line", "words"),
    [
        ('path = "/b"\nstatus = 9999', 11, "number 2: status must be at most 599"),
        ('path = "/b"\nstat = 1', 11, "number 2: stat is unknown"),
        ('path = "b"', 10, "number 2: path"),
        ('query = [\n  "a",\n  "=b",\n]', 12, "number 2: query has"),
        ('status = 204\nbody = "x"', 10, "number 2: status 204 has no body"),
        ('template = true\nanswer_fields = [\n"A: b",\n"B: {{",\n]', 13, "number 2: answer_fields is not a template"),
    ],
)
def test_a_problem_in_a_list_is_at_the_line_of_its_item(rule, line, words):
    [(at, key, text)] = problems(RULES.format(rule))
    assert (at, key) == (line, "options.rules")
    assert text.startswith(words)


def test_all_problems_in_a_list_are_told(tmp_path):
    found = problems(RULES.format('path = "b"\nstatus = 1\nbody = "x"\nfile = "y"'))
    assert [(at, text.partition(".")[0]) for at, _, text in found] == [
        (10, "number 2: path must begin with / or, for a regular expression, with ~"),
        (11, "number 2: status must be at least 200"),
        (12, "number 2: body and file cannot both be the answer"),
    ]


def test_a_problem_with_a_text_of_a_list_is_at_its_line():
    source = RULES.replace("[[service.options.rules]]\n{}", '[service.options]\ncors = [\n"*",\n"x",\n]')
    source = source.replace('[[service.options.rules]]\npath = "/a"\n', "")
    [(at, key, text)] = problems(source)
    assert (at, key, text.partition(" such")[0]) == (10, "options.cors", '"x" is not an origin')


def test_a_missing_file_is_told_by_a_check_and_does_not_keep_the_workspace_from_opening(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(RULES.format('file = "none.txt"'))
    assert problems_of(path) == [
        Problem(
            10, "options.rules", 'number 2: file names a file that cannot be read: "none.txt" (there is no such file)'
        )
    ]
    assert [service.name for service in load(path).services] == ["m"]


# -- files that are none


def test_what_cannot_be_read_is_said_in_words(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b"version = 1\n# caf\xe9\n")
    (tmp_path / "huge.toml").write_bytes(b"#" * (workspace.MAX_SIZE + 1))
    for path, reason in [
        (tmp_path / "none.toml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "latin.toml", "line 2 is not text in UTF-8"),
        (tmp_path / "huge.toml", "it is larger than 4.0 MB"),
        (Path("/dev/zero"), "it is larger than 4.0 MB"),
    ]:
        with pytest.raises(errors.WorkspaceUnreadableError, match=reason):
            load(path)
        with pytest.raises(errors.WorkspaceUnreadableError, match=reason):
            problems_of(path)


@pytest.mark.parametrize("source", ["a = " + "[" * 100_000, "version = " + "9" * 5000, "\0", "a = {" * 5000])
def test_hostile_toml_is_a_problem_like_another(source):
    assert problems(source)


def test_many_problems_take_no_time():
    source = "version = 1\n" + "[[service]]\nname = 1\n" * 10_000
    before = process_time()
    assert len(problems(source)) == 30_000
    assert process_time() - before < 5


@given(st.text() | st.text(st.sampled_from("[]{}=.,\n\"' a1#")))
def test_nothing_raises(source):
    found, wrong = parse(source)
    assert not found.services
    assert wrong


@given(st.text(string.printable))
def test_a_name_is_checked_as_it_is_typed(name):
    wrong = service_checks.name_problem(name)
    assert (wrong is None) == (bool(name.strip()) and name.isprintable() and len(name) <= 60)


@pytest.mark.parametrize(
    ("source", "line", "key"),
    [
        ("version = 0x" + "f" * 5000, 1, "version"),
        ('version = 1\n[[service]]\nname = "a"\n[service.options]\nx = [1, 99999999999999999999]', 5, "x"),
        ("version = 1\n[a]\nb = {c = -9223372036854775809}", 3, "c"),
    ],
)
def test_a_number_that_toml_does_not_have_is_a_problem(source, line, key):
    """Python reads it, and cannot print it from 4,300 digits on."""
    _, problems = parse(source)
    assert [(problem.line, problem.key) for problem in problems] == [(line, key)]
    assert "64 bits" in str(problems[0])


def test_variables_are_read_and_what_is_wrong_with_one_has_its_line() -> None:
    good = 'version = 1\n[variables]\nbase = "http://x:1"\nempty = ""\n'
    workspace, problems = parse(good)
    assert (dict(workspace.variables), problems) == ({"base": "http://x:1", "empty": ""}, [])
    workspace, problems = parse(good + "n = 3\ncounter = 'x'\n")
    assert dict(workspace.variables) == {"base": "http://x:1", "empty": ""}
    assert [(problem.line, problem.key) for problem in problems] == [(5, "variables.n"), (6, "variables.counter")]
    assert 'must be text, as in n = "3"' in problems[0].text
    assert [problem.key for problem in parse("version = 1\nvariables = 3")[1]] == ["variables"]
    many = "".join(f"v{number} = ''\n" for number in range(201))
    workspace, problems = parse(f"version = 1\n[variables]\n{many}")
    assert len(workspace.variables) == 200
    assert "201" in problems[0].text


RESTARTED = """version = 1
[[service]]
name = "x"
protocol = "tcp"
listen = "127.0.0.1:9007"
responder = "relay"
[service.options]
upstreams = [
  "127.0.0.1:1",
  "nowhere",
]
[service.restart]
when = "sometimes"
factor = 0.5
"""


def test_what_is_wrong_with_upstreams_and_restart_is_told_at_its_line():
    assert [(problem.line, problem.key, problem.text.partition(".")[0]) for problem in parse(RESTARTED)[1]] == [
        (10, "options.upstreams", "number 2: nowhere is not an address to relay to"),
        (13, "restart.when", '"sometimes" is unknown'),
        (14, "restart.factor", "must be at least 1"),
    ]


@pytest.mark.parametrize("upstreams", ['upstreams = ["127.0.0.1:1"]\nupstream = "127.0.0.1:2"', "upstreams = []", ""])
def test_a_relay_has_either_one_upstream_or_several(upstreams):
    source = RESTARTED[: RESTARTED.index("upstreams")] + upstreams
    [problem] = parse(source)[1]
    assert problem.key.startswith("options.upstream")


def test_without_a_table_restart_there_is_no_restart():
    source = RESTARTED[: RESTARTED.index("[service.options]")].replace("relay", "echo")
    assert parse(source)[0].services[0].restart is None
    assert parse(source + "[service.restart]")[0].services[0].restart == {}


def test_pings_among_the_options_of_earlier_builds_are_limits():
    text = (
        'version = 1\n[[service]]\nname = "a"\nprotocol = "websocket"\nlisten = "127.0.0.1:1"\n'
        "[service.options]\nping_seconds = 5\nping_timeout = 2.5\n"
    )
    workspace, problems = parse(text)
    assert problems == []
    [service] = workspace.services
    assert service.options == {}
    assert service.limits == {"ping_seconds": 5, "ping_timeout": 2.5}
    assert parse(text.replace("= 5", "= -1"))[1]
