"""What a user or a file says in a language of ours: filters, templates, workspaces; JSON and its paths."""

from __future__ import annotations

import contextlib
import tempfile
from functools import cache
from pathlib import Path
from random import Random

from app.capture.filters import language
from app.capture.filters.errors import FilterError
from app.capture.reading import conversations, exchange_rows
from app.capture.reading.store import Store
from app.errors import PostError
from app.responders.mock.json_path import Query
from app.sending import url
from app.text import errors, strict_json
from app.text.templates import MAX_OUTPUT, Template
from app.workspace import reading
from app.workspace.saving import save
from tests.app.capture.hostile import sound
from tests.fuzz.engine import Target
from tests.helpers import ROOT


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


@cache
def _store() -> Store:
    return Store(sound(Path(tempfile.mkdtemp(prefix="listening-post-fuzz-")) / "x.lpost"))


def check_filter(data: bytes, random: Random) -> None:
    """A filter is refused in words, or runs over events, exchanges and connections."""
    typed = _text(data[:2000])
    store = _store()
    try:
        store.count(language.parse(typed))
        exchange_rows.matches(store, language.parse(typed, exchange_rows.EXCHANGE_FIELDS), 1, 9)
        conversations.ids(store, language.parse(typed, conversations.CONVERSATION_FIELDS))
    except FilterError as e:
        _assert_place(e)


def _assert_place(error: FilterError) -> None:
    assert 0 <= error.at <= len(error.typed)


def check_template(data: bytes, random: Random) -> None:
    """A template is refused in words, or renders to so many bytes, or says why not."""
    try:
        template = Template(_text(data[:5000]), clock=lambda: 1e9)
        values = {
            "1": b"one",
            "line": "l\xfcne",
            "json": {"a": [1, None, 1e300]},
            "n": 2**70,
            "data": bytes(range(256)),
        }
        for _ in range(2):
            assert len(template.render(values)) <= MAX_OUTPUT
    except errors.TemplateError:
        return


def check_workspace(data: bytes, random: Random) -> None:
    """A workspace is read with its problems; what is right in it can be saved and read again."""
    source = data.decode("utf-8", "replace")
    workspace, problems = reading.parse(source, Path(tempfile.gettempdir()))
    for problem in problems:
        assert str(problem).splitlines(), problem
    if problems or random.random() < 0.7:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.toml"
        path.write_text(source, "utf-8")
        saved = save(workspace, path)
        again, problems = reading.parse(path.read_text("utf-8"))
        assert not problems, problems
        assert (again.services, again.messages) == (saved.services, saved.messages)


def check_json(data: bytes, random: Random) -> None:
    """JSON is refused, or written as it was read."""
    try:
        value = strict_json.parse(data, exact=random.random() < 0.5)
    except (ValueError, PostError):
        return
    for write in (strict_json.written, strict_json.as_written):
        with contextlib.suppress(ValueError):  # half of a character, which JSON can say and UTF-8 cannot
            write(value)


def check_json_path(data: bytes, random: Random) -> None:
    """A JSONPath is refused in words, or finds what it finds."""
    document = {"a": [1, {"b": "c" * 30}, None, [[]]], "ä": {"x": 1.5}, "": "empty", "t": True}
    try:
        query = Query(_text(data[:500]))
    except ValueError:
        return
    with contextlib.suppress(PostError):
        list(query.values(document))


def check_url(data: bytes, random: Random) -> None:
    """A URL is refused in words, or has a host and a port."""
    try:
        found = url.parse(_text(data[:500]))
    except PostError:
        return
    assert found.address


TARGETS = [
    Target(
        "filters",
        [
            b'service == api and http.status >= 500', b'payload contains 0d0a or not note exists',
            b"peer == 127.0.0.1 and time > -5m",
            b'http.fields matches /(?i)x-[a-z]+/i', b'kind in {data.received, failure}',
            b'hello "world \\n" (conn < 5 || size != 2k)',
            b'summary contains "\\x00" and direction == sent', b"http.fields contains \xc3\xbc",
            b"received.messages > 1 and seconds < 5",
        ],
        check_filter,
        [b" and ", b" or ", b" not ", b"(", b")", b'"', b"/", b"\\", b"{", b"}", b",", b" in ", b" contains ",
        b" matches ", b" exists", b"==", b"!=",
         b"<=", b"\0", b"\xff", b"kind", b"time", b"payload", b"conn", b"/(a+)+$/", b"/[/", b"/a{1,99999}/",
         b"-99999999d", b"9" * 400, b"%", b"_", b"'",
         b"12:61", b"2026-11-20T12:03:00", b"99999-01-01", b"(" * 200, b"not " * 300],
    ),
    Target(
        "templates",
        [
            b"hello {{name | upper}}\\r\\n", b"{{counter 100 5}} {{now}} {{uuid}} {{random 5}}",
            b"$PMTK001*{{xor8 1 | hex | upper}}",
            b"{{json.a.0}} {{json.a.2 | default 'x'}}", b"{{crc16 | hex}} {{length 2}} \\{{ \\x00",
            b"{{1 | base64}}{{line | hex}}{{data | sha256}}",
        ],
        check_template,
        [b"{{", b"}}", b"|", b" | upper", b" | hex", b" | base64", b" | default ''", b"'", b'"', b"\\", b"\\x4",
        b"counter ", b"now ", b"repeat ", b"random ",
         b"99999999999999999999", b"-1", b"0", b"1e400", b"\0", b"\xff", b"%Y" * 50, b"json.a", b"json", b"1",
         b"line", b"n", b"{{" * 100, b"crc32 1 99999"],
    ),
    Target(
        "workspaces",
        [
            (ROOT / "resources" / "demo.toml").read_bytes(),
            b'version = 1\n[[service]]\nname = "a"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\nresponder = "script"\n'
            b'autostart = true\n'
            b'[service.options]\nframing = "length"\n[[service.options.rules]]\nwhen = "a"\nanswer = "{{1}}"\n'
            b'[service.limits]\nconnections = 5\n'
            b'[[message]]\nname = "m"\nurl = "tcp://127.0.0.1:9"\ndata = "x"\n',
            b'version = 1\n[[service]]\nname = "r"\nprotocol = "http"\nlisten = "[::1]:8080"\nresponder = "mock"\n'
            b'[service.tls]\ncertificate = "a.pem"\n'
            b'[[service.options.rules]]\npath = "/a/*"\nstatus = 201\nbody_json = "$.a"\nheaders = ["X: 1"]\n',
        ],
        check_workspace,
        [b"[[service]]\n", b"[service.options]\n", b"[service.tls]\n", b"[service.socket]\n", b"[[message]]\n",
         b'name = "a"\n',
         b'"', b"'''", b'"""', b"\n", b"=", b"[", b"]",
         b"{", b"}", b".", b",", b"#", b"\\u0000", b"\0", b"\xff", b"inf", b"nan", b"-1", b"9" * 30,
         b"0x" + b"f" * 5000, b"true", b"2026-11-20T00:00:00Z", b"[" * 300,
         b'listen = "0.0.0.0:99999"\n', b'listen = "x"\n', b'responder = "relay"\n', b'protocol = "udp"\n',
         b"rules = [1]\n", b"rules = {}\n", b'to = "tcp://[::"\n'],
    ),
    Target(
        "json",
        [b'{"a": [1, 1.10, -1e3, null, true], "b": {"c": "\\u00fc\\ud83d\\ude00"}}', b'[[[[["x"]]]]]', b'"a"',
        b"1E400", b" {} "],
        check_json,
        [b"[", b"]", b"{", b"}", b'"', b",", b":", b"\\u", b"\\ud800", b"NaN", b"-Infinity", b"1e999", b"-0",
        b"9" * 5000, b"[" * 2000, b'{"a":' * 500, b"\0", b"\xff", b"\xef\xbb\xbf"],
    ),
    Target(
        "json paths",
        [b"$.a[1].b", b"$..*", b"$.a[?@.b == 'c']", b"$['\xc3\xa4','a'][0:2:1]",
        b"$.a[?length(@) > 1 && match(@.b, 'c+')]"],
        check_json_path,
        [b"..", b"*", b"[", b"]", b"?", b"@", b"$", b"(", b")", b"'", b"\\", b"&&", b"||", b"!", b"==", b"<", b"-1",
        b"9" * 30, b"::", b"::-1", b"search(@,'(a+)+$')", b"[?" * 50, b"..*" * 20],
    ),
    Target(
        "urls",
        [b"tcp://127.0.0.1:9007", b"https://user@[::1]:8443/a?b=c#d", b"ws://localhost/x",
        b"udp://[fe80::1%25eth0]:5", b"tls://ex\xc3\xa4mple.org:1"],
        check_url,
        [b"://", b":", b"/", b"?", b"#", b"@", b"[", b"]", b"%", b"%zz", b"\\", b" ", b"\r\n", b"\0", b"\xff",
        b"99999", b"0", b"-1", "．".encode(), "ß".encode(), b"a" * 300, b".." * 40, b"xn--a"],
    ),
]  # fmt: skip
