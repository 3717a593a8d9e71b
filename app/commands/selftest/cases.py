"""What ``listening-post selftest`` starts, sends and expects."""

_SERVICE = '[[service]]\nname = "{}"\nprotocol = "{}"\nlisten = "127.0.0.1:0"\nresponder = "{}"\n'

SERVICES = (
    ("tcp-echo", "tcp", "echo", ""),
    ("udp-echo", "udp", "echo", ""),
    ("inspector", "http", "inspector", "[service.options]\ncompression = true"),
    ("ws-echo", "websocket", "echo", ""),
    ("tls-echo", "tcp", "echo", "[service.tls]"),
    ("https-inspector", "http", "inspector", "[service.tls]"),
    ("wss-echo", "websocket", "echo", "[service.tls]"),
    ("script", "tcp", "script", """[service.options]
        framing = "delimiter"
        [[service.options.rules]]
        when = "regex"
        match = '^add (?P<a>\\d+)'
        then = ['send {{a}}!\\n']"""),
    ("rest", "http", "rest", ""),
    ("mock", "http", "mock", """[[service.options.rules]]
        path = "/users/{id}"
        body = "mocked" """),
    ("static", "http", "static", "[service.options]\nroot = '.'"),
    ("ssh", "ssh", "manhole", "[service.options]\npassword = 'auto'"),
    ("plugin", "tcp", "selftest_shout", ""),
)  # fmt: skip

WORKSPACE = "version = 1\n" + "\n".join(_SERVICE.format(*service) + more for *service, more in SERVICES)

RELAY = "version = 1\n" + _SERVICE.format("relay", "tcp", "relay") + "[service.options]\nupstream = '{}'"

PLUGIN = '''
import csv, decimal, statistics, zoneinfo
import app.plugin
from listening_post import responder
from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.conch.telnet import TelnetTransport
from twisted.internet import endpoints, protocol
from twisted.protocols import amp, basic
from twisted.web import resource, server
from twisted.words.protocols import irc

class Shout(basic.LineReceiver):
    """Says it again, louder."""

    def lineReceived(self, line):
        self.sendLine(line.upper())

class Factory(protocol.Factory):
    protocol = Shout

selftest_shout = Factory()
'''


_COMPRESSED = b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: br\r\nX-Long: %s\r\n\r\n" % (b"x" * 4000)

EXCHANGES = (
    # The name of the check, the URL with a service's name for its address, what is sent, what the answer contains.
    ("TCP echo", "tcp://{tcp-echo}", b"over TCP", b"over TCP"),
    ("UDP echo", "udp://{udp-echo}", b"over UDP", b"over UDP"),
    ("HTTP inspector", "http://{inspector}/hello", b"over HTTP", b"over HTTP"),
    ("compression", "tcp://{inspector}", _COMPRESSED, b"Content-Encoding: br"),
    ("WebSocket echo", "ws://{ws-echo}", b"over WebSocket", b"over WebSocket"),
    ("TCP echo over TLS", "tls://{tls-echo}", b"over TLS", b"over TLS"),
    ("HTTP inspector over TLS", "https://{https-inspector}/hello", b"over HTTPS", b"over HTTPS"),
    ("WebSocket echo over TLS", "wss://{wss-echo}", b"over WSS", b"over WSS"),
    ("script", "tcp://{script}", b"add 42\r\n", b"42!"),
    ("rest", "http://{rest}/things", b'{"name": "a lamp"}', b"a lamp"),
    ("mock", "http://{mock}/users/7", b"", b"mocked"),
    ("static file", "http://{static}/hello.txt", b"", b"from a file"),
    ("SSH banner", "tcp://{ssh}", None, b"SSH-2.0-"),
    ("relay", "tcp://{relay}", b"through the relay", b"through the relay"),
    ("plugin", "tcp://{plugin}", b"quietly\r\n", b"QUIETLY\r\n"),
)
