"""Small Twisted programs as tutorials have them, right and wrong, and what must be seen of each.

``{port}`` stands for a free port. Each runs unchanged in a process of its own. What must be seen are kinds of events
and patterns in their summaries, in this order, others between them.
"""

from __future__ import annotations

from dataclasses import dataclass

DIES = 137
"""The exit code of a program that SIGKILL ended, as a shell has it."""


@dataclass(frozen=True)
class Tutorial:
    """One program.

    Attributes:
        text: of the program.
        seen: kind and pattern of each event that must come, in order.
        sends: what a client sends to ``port``, once the program listens.
        gets: what it gets back, the start of it.
        code: the exit code.
        never: patterns that no summary may have.
        line: the program's own line that a failure must show: the last of its frames that are in the program; 0: none.
        values: local values of that frame, as patterns by their names.
    """

    text: str
    seen: tuple[tuple[str, str], ...]
    sends: bytes | None = None
    gets: bytes = b""
    code: int = 0
    never: tuple[str, ...] = ()
    line: int = 0
    values: tuple[tuple[str, str], ...] = ()


ENDS = "\nreactor.callLater(20, reactor.stop)\nreactor.run()\n"
"""A server that nobody stops ends by itself, so that a test which fails leaves nothing behind."""

ECHO = (
    """
from twisted.internet import protocol, reactor

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)
        self.transport.loseConnection()

    def connectionLost(self, reason):
        reactor.stop()

class EchoFactory(protocol.Factory):
    protocol = Echo

reactor.listenTCP({port}, EchoFactory(), interface="127.0.0.1")
"""
    + ENDS
)

ECHOED = (
    ("service.started", r"listening on 127\.0\.0\.1:{port}"),
    ("connection.opened", "accepted from 127"),
    ("data.received", "hello"),
    ("data.sent", "hello"),
    ("connection.closed", "closed by us"),
    ("log", "exit code 0"),
)

ONE_TURN = """
from twisted.internet import reactor
reactor.callWhenRunning(go)
reactor.run()
"""

TUTORIALS: dict[str, Tutorial] = {
    # -- servers
    "echo server": Tutorial(ECHO, ECHOED, b"hello", b"hello"),
    "quote of the day, on an endpoint": Tutorial(
        """
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet import reactor

class QOTD(Protocol):
    def connectionMade(self):
        self.transport.write(b"An apple a day keeps the doctor away\\r\\n")
        self.transport.loseConnection()
    def connectionLost(self, reason):
        reactor.stop()

class QOTDFactory(Factory):
    def buildProtocol(self, addr):
        return QOTD()

endpoint = TCP4ServerEndpoint(reactor, {port}, interface="127.0.0.1")
endpoint.listen(QOTDFactory())
"""
        + ENDS,
        (("service.started", "listening"), ("data.sent", "An apple a day"), ("connection.closed", "")),
        b"",
        b"An apple",
    ),
    "chat with LineReceiver": Tutorial(
        """
from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver

class Chat(LineReceiver):
    def __init__(self, users):
        self.users = users
    def connectionMade(self):
        self.sendLine(b"What's your name?")
    def lineReceived(self, line):
        self.users[line] = self
        self.sendLine(b"Welcome, %s!" % line)
        self.transport.loseConnection()
    def connectionLost(self, reason):
        reactor.stop()

class ChatFactory(Factory):
    def __init__(self):
        self.users = {}
    def buildProtocol(self, addr):
        return Chat(self.users)

reactor.listenTCP({port}, ChatFactory(), interface="127.0.0.1")
"""
        + ENDS,
        (("data.sent", "What's your name"), ("data.received", "moshez"), ("data.sent", "Welcome, moshez!")),
        b"moshez\r\n",
        b"What's your name?\r\nWelcome, moshez!",
    ),
    "lengths before messages": Tutorial(
        """
from twisted.internet import reactor, endpoints
from twisted.internet.protocol import Factory
from twisted.protocols.basic import Int32StringReceiver

class Reverse(Int32StringReceiver):
    def stringReceived(self, string):
        self.sendString(string[::-1])
        self.transport.loseConnection()
    def connectionLost(self, reason):
        reactor.stop()

endpoints.serverFromString(reactor, "tcp:{port}:interface=127.0.0.1").listen(Factory.forProtocol(Reverse))
"""
        + ENDS,
        (("service.started", ""), ("data.received", r"\\0\\0\\0\\x03abc"), ("data.sent", "")),
        b"\x00\x00\x00\x03abc",
        b"\x00\x00\x00\x03cba",
    ),
    "many small writes": Tutorial(
        ECHO.replace("self.transport.write(data)", "[self.transport.write(b'%d ' % n) for n in range(5)]"),
        (("data.sent", "0"), ("data.sent", "4"), ("connection.closed", "closed by us")),
        b"hello",
        b"0 1 2 3 4",
    ),
    "a protocol that reads on after its peer has finished": Tutorial(
        """
from zope.interface import implementer
from twisted.internet import protocol, reactor
from twisted.internet.interfaces import IHalfCloseableProtocol

@implementer(IHalfCloseableProtocol)
class Count(protocol.Protocol):
    count = 0
    def dataReceived(self, data):
        self.count += len(data)
    def readConnectionLost(self):
        self.transport.write(b"%d" % self.count)
        self.transport.loseConnection()
    def writeConnectionLost(self):
        pass
    def connectionLost(self, reason):
        reactor.stop()

reactor.listenTCP({port}, protocol.Factory.forProtocol(Count), interface="127.0.0.1")
"""
        + ENDS,
        (("data.received", "hello"), ("data.sent", "5")),
        b"hello",
        b"5",
    ),
    "a producer of much": Tutorial(
        """
from twisted.internet import protocol, reactor
from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

@implementer(IPullProducer)
class Producer:
    def __init__(self, transport):
        self.transport, self.left = transport, 200
    def resumeProducing(self):
        self.left -= 1
        self.transport.write(b"x" * 10000)
        if not self.left:
            self.transport.unregisterProducer()
            self.transport.loseConnection()
    def stopProducing(self):
        pass

class Much(protocol.Protocol):
    def connectionMade(self):
        self.transport.registerProducer(Producer(self.transport), False)
    def connectionLost(self, reason):
        reactor.stop()

reactor.listenTCP({port}, protocol.Factory.forProtocol(Much), interface="127.0.0.1")
"""
        + ENDS,
        (("data.sent", "xxx"), ("connection.closed", "")),
        b"",
        b"x" * 2_000_000,
    ),
    "UNIX socket, server and client": Tutorial(
        """
import os, tempfile
from twisted.internet import protocol, reactor

class Server(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data.upper())

class Client(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")
    def dataReceived(self, data):
        print("client got", data)
        reactor.stop()

class ClientFactory(protocol.ClientFactory):
    protocol = Client

folder = tempfile.mkdtemp()
path = os.path.join(folder, "s")
reactor.listenUNIX(path, protocol.Factory.forProtocol(Server))
reactor.connectUNIX(path, ClientFactory())
reactor.addSystemEventTrigger("after", "shutdown", os.rmdir, folder)
"""
        + ENDS,
        (("data.sent", "hello"), ("data.received", "hello"), ("data.sent", "HELLO"), ("log", "client got b'HELLO'")),
    ),
    "UDP echo": Tutorial(
        """
from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol

class Echo(DatagramProtocol):
    def datagramReceived(self, data, addr):
        self.transport.write(data, addr)

class EchoClient(DatagramProtocol):
    def startProtocol(self):
        self.transport.connect("127.0.0.1", server.getHost().port)
        self.transport.write(b"ping")
    def datagramReceived(self, data, addr):
        print("client got", data)
        reactor.stop()

server = reactor.listenUDP(0, Echo(), interface="127.0.0.1")
reactor.listenUDP(0, EchoClient(), interface="127.0.0.1")
"""
        + ENDS,
        (
            ("service.started", "listening on 127"),
            ("datagram.sent", "ping"),
            ("datagram.received", "ping"),
            ("datagram.sent", "ping"),
            ("log", "client got b'ping'"),
        ),
        never=("DatagramTap",),
    ),
    # -- clients
    "client of its own server": Tutorial(
        """
from twisted.internet import reactor, protocol

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

class EchoClient(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"hello, world!")
    def dataReceived(self, data):
        print("Server said:", data)
        self.transport.loseConnection()
    def connectionLost(self, reason):
        print("connection lost")

class EchoFactory(protocol.ClientFactory):
    protocol = EchoClient
    def clientConnectionFailed(self, connector, reason):
        reactor.stop()
    def clientConnectionLost(self, connector, reason):
        print("Connection lost - goodbye!", type(connector).__name__)
        reactor.stop()

port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
reactor.connectTCP("127.0.0.1", port.getHost().port, EchoFactory())
reactor.run()
""",
        (
            ("service.started", "listening on"),
            ("connection.opened", "connected to 127"),
            ("data.sent", "hello, world!"),
            ("log", r"Server said: b'hello, world!'"),
            ("log", "Connection lost - goodbye! Connector"),
        ),
    ),
    "client that nobody answers": Tutorial(
        """
from twisted.internet import reactor, protocol

class Factory(protocol.ClientFactory):
    protocol = protocol.Protocol
    def startedConnecting(self, connector):
        print("Started to connect.")
    def clientConnectionFailed(self, connector, reason):
        print("Connection failed. Reason:", reason.getErrorMessage())
        reactor.stop()

reactor.connectTCP("127.0.0.1", {port}, Factory())
reactor.run()
""",
        (
            ("log", "Started to connect"),
            ("log", "cannot connect to 127.0.0.1:{port}: Connection was refused"),
            ("log", "Connection failed"),
        ),
    ),
    "client on an endpoint": Tutorial(
        """
from twisted.internet import reactor, protocol, endpoints, defer

class Greeter(protocol.Protocol):
    def sendMessage(self, msg):
        self.transport.write(b"MESSAGE %s\\n" % msg)

async def go():
    port = await endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(
        protocol.Factory.forProtocol(protocol.Protocol))
    point = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    p = await endpoints.connectProtocol(point, Greeter())
    p.sendMessage(b"Hello")
    q = await point.connect(protocol.Factory.forProtocol(Greeter))
    q.sendMessage(b"Hello again")
    print(type(p).__name__, type(q).__name__)
    reactor.callLater(0.01, reactor.stop)

def start():
    defer.ensureDeferred(go()).addErrback(lambda f: (f.printTraceback(), reactor.stop()))

reactor.callWhenRunning(start)
reactor.run()
""",
        (("data.sent", "MESSAGE Hello"), ("data.sent", "MESSAGE Hello again"), ("log", "Greeter Greeter")),
    ),
    "Agent gets a page of its own Site": Tutorial(
        """
from twisted.internet import reactor
from twisted.internet.task import react
from twisted.web.client import Agent, readBody
from twisted.web.resource import Resource
from twisted.web.server import Site

class Hello(Resource):
    isLeaf = True
    def render_GET(self, request):
        return b"<html>Hello, world!</html>"

async def main(reactor):
    port = reactor.listenTCP(0, Site(Hello()), interface="127.0.0.1")
    response = await Agent(reactor).request(b"GET", b"http://127.0.0.1:%d/a" % port.getHost().port)
    print(response.code, await readBody(response))

react(lambda reactor: __import__("twisted.internet.defer").internet.defer.ensureDeferred(main(reactor)))
""",
        (
            ("data.sent", "GET /a HTTP/1.1"),
            ("data.received", "GET /a"),
            ("data.sent", "HTTP/1.1 200 OK"),
            ("log", r"200 b'<html>Hello"),
        ),
    ),
    # -- TLS
    "TLS, server and client": Tutorial(
        """
from twisted.internet import reactor, protocol, ssl, endpoints, defer
from twisted.internet.ssl import Certificate, KeyPair, PrivateCertificate

key = KeyPair.generate(size=2048)
certificate = Certificate(key.selfSignedCert(1, CN="localhost").original)
private = PrivateCertificate.fromCertificateAndKeyPair(certificate, key)

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data.upper())

class Client(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"secret")
    def dataReceived(self, data):
        print("client got", data)
        reactor.stop()

class Factory(protocol.ClientFactory):
    protocol = Client

port = reactor.listenSSL(0, protocol.Factory.forProtocol(Echo), private.options(), interface="127.0.0.1")
reactor.connectSSL("127.0.0.1", port.getHost().port, Factory(), ssl.CertificateOptions())
"""
        + ENDS,
        (
            ("service.started", ""),
            ("tls.opened", "TLS 1.3"),
            ("data.received", "secret"),
            ("data.sent", "SECRET"),
            ("log", "client got b'SECRET'"),
        ),
    ),
    "startTLS in the middle": Tutorial(
        """
from twisted.internet import reactor, protocol, ssl
from twisted.internet.ssl import Certificate, KeyPair, PrivateCertificate
from twisted.protocols.basic import LineReceiver

key = KeyPair.generate(size=2048)
certificate = Certificate(key.selfSignedCert(1, CN="localhost").original)
options = PrivateCertificate.fromCertificateAndKeyPair(certificate, key).options()

class Server(LineReceiver):
    def lineReceived(self, line):
        if line == b"STARTTLS":
            self.sendLine(b"READY")
            self.transport.startTLS(options, self.factory)
        else:
            self.sendLine(b"got " + line)

class Client(LineReceiver):
    def connectionMade(self):
        self.sendLine(b"STARTTLS")
    def lineReceived(self, line):
        if line == b"READY":
            self.transport.startTLS(ssl.CertificateOptions())
            self.sendLine(b"secret")
        else:
            print("client:", line)
            reactor.stop()

class Factory(protocol.ClientFactory):
    protocol = Client

server = protocol.ServerFactory()
server.protocol = Server
port = reactor.listenTCP(0, server, interface="127.0.0.1")
reactor.connectTCP("127.0.0.1", port.getHost().port, Factory())
"""
        + ENDS,
        (
            ("data.received", "STARTTLS"),
            ("data.sent", "READY"),
            ("tls.opened", r"TLS 1\.3"),
            ("data.received", "secret"),
            ("data.sent", "got secret"),
            ("log", "client: b'got secret'"),
        ),
    ),
    # -- Deferreds
    "a Deferred that fires": Tutorial(
        """
from twisted.internet import defer

def got(text):
    print("got", text)

d = defer.Deferred()
d.addCallback(got)
d.callback("a value")
""",
        (("log", "got a value"), ("log", "exit code 0")),
    ),
    "inlineCallbacks": Tutorial(
        """
from twisted.internet import reactor, task
from twisted.internet.defer import inlineCallbacks

@inlineCallbacks
def main():
    yield task.deferLater(reactor, 0.01, lambda: None)
    print("waited")
    try:
        yield task.deferLater(reactor, 0.01, lambda: 1 / 0)
    except ZeroDivisionError as e:
        print("caught", e)
    reactor.stop()

reactor.callWhenRunning(main)
reactor.run()
""",
        (("log", "waited"), ("log", "caught division by zero"), ("log", "exit code 0")),
        never=("ZeroDivisionError",),
    ),
    "an error that nobody handles": Tutorial(
        """
from twisted.internet import reactor, task

def boom():
    details = {"order": 17}
    raise RuntimeError("cannot ship")

task.deferLater(reactor, 0.01, boom)
reactor.callLater(0.1, reactor.stop)
reactor.run()
""",
        (("failure", "RuntimeError: cannot ship"),),
        line=6,
        values=(("details", "{{'order': 17}}"),),
    ),
    "an error that is handled": Tutorial(
        """
from twisted.internet import reactor, task
task.deferLater(reactor, 0.01, lambda: 1 / 0).addErrback(lambda f: print("handled", f.type.__name__))
reactor.callLater(0.1, reactor.stop)
reactor.run()
""",
        (("log", "handled ZeroDivisionError"),),
    ),
    "react with a coroutine": Tutorial(
        """
from twisted.internet import task, defer
async def main(reactor, name):
    await task.deferLater(reactor, 0.01, lambda: None)
    print("hello", name)
task.react(lambda r, *a: defer.ensureDeferred(main(r, *a)), ["world"])
""",
        (("log", "hello world"), ("log", "exit code 0")),
    ),
    "react that fails": Tutorial(
        """
from twisted.internet import task, defer
async def main(reactor):
    raise LookupError("nothing there")
task.react(lambda r: defer.ensureDeferred(main(r)))
""",
        (("failure", "LookupError: nothing there"), ("log", "exit code 1")),
        code=1,
    ),
    "a LoopingCall that breaks": Tutorial(
        """
from twisted.internet import reactor, task
count = 0
def tick():
    global count
    count += 1
    print("tick", count)
    if count == 3:
        raise ValueError("enough")
task.LoopingCall(tick).start(0.01)
reactor.callLater(0.2, reactor.stop)
reactor.run()
""",
        (("log", "tick 3"), ("failure", "ValueError: enough")),
    ),
    "threads": Tutorial(
        """
from twisted.internet import reactor, threads
def work():
    print("in a thread")
    return 42
threads.deferToThread(work).addCallback(print).addBoth(lambda _: reactor.stop())
reactor.run()
""",
        (("log", "in a thread"), ("log", "42")),
    ),
    "a thread that breaks": Tutorial(
        """
import threading
def work():
    raise KeyError("no such row")
thread = threading.Thread(target=work)
thread.start()
thread.join()
""",
        (("failure", "KeyError: 'no such row'"), ("log", "exit code 0")),
    ),
    "a delayed call that breaks": Tutorial(
        """
from twisted.internet import reactor
reactor.callLater(0.01, lambda: {}["missing"])
reactor.callLater(0.1, reactor.stop)
reactor.run()
""",
        (("failure", "KeyError: 'missing'"),),
    ),
    # -- twisted.web
    "a Resource": Tutorial(
        """
from twisted.web import server, resource
from twisted.internet import reactor

class Counter(resource.Resource):
    isLeaf = True
    numberRequests = 0
    def render_GET(self, request):
        self.numberRequests += 1
        request.setHeader(b"content-type", b"text/plain")
        request.notifyFinish().addBoth(lambda _: reactor.callLater(0.05, reactor.stop))
        return b"I am request #%d\\n" % self.numberRequests

reactor.listenTCP({port}, server.Site(Counter()), interface="127.0.0.1")
"""
        + ENDS,
        (("data.received", "GET / HTTP/1.0"), ("data.sent", "200 OK"), ("log", '"GET / HTTP/1.0" 200')),
        b"GET / HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 200 OK",
    ),
    "a Resource that answers later": Tutorial(
        """
from twisted.web import server, resource
from twisted.internet import reactor, task

class Later(resource.Resource):
    isLeaf = True
    def render_GET(self, request):
        def answer():
            request.write(b"sorry to keep you waiting")
            request.finish()
            reactor.callLater(0.05, reactor.stop)
        task.deferLater(reactor, 0.02, answer)
        return server.NOT_DONE_YET

reactor.listenTCP({port}, server.Site(Later()), interface="127.0.0.1")
"""
        + ENDS,
        (("data.received", "GET"), ("data.sent", "200 OK"), ("data.sent", "sorry to keep")),
        b"GET / HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 200 OK",
    ),
    "render returns text": Tutorial(
        """
from twisted.web import server, resource
from twisted.internet import reactor

class Text(resource.Resource):
    isLeaf = True
    def render_GET(self, request):
        request.notifyFinish().addBoth(lambda _: reactor.callLater(0.05, reactor.stop))
        return "not bytes"

reactor.listenTCP({port}, server.Site(Text()), interface="127.0.0.1")
"""
        + ENDS,
        (
            ("failure", r"TypeError: render_GET returned str, and must return bytes.*tutorial\.py:9"),
            ("data.sent", "500 Internal Server Error"),
            ("data.sent", "Request did not return bytes"),
        ),
        b"GET / HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 500",
        line=9,
        values=(("returned", "^'not bytes'$"), ("self", "Text"), ("request", "method=GET uri=/ ")),
    ),
    "render that raises": Tutorial(
        """
from twisted.web import server, resource
from twisted.internet import reactor

class Broken(resource.Resource):
    isLeaf = True
    def render_GET(self, request):
        request.notifyFinish().addBoth(lambda _: reactor.callLater(0.05, reactor.stop))
        orders = {}
        return orders[request.path]

reactor.listenTCP({port}, server.Site(Broken()), interface="127.0.0.1")
"""
        + ENDS,
        (("failure", "KeyError: b'/seven'"), ("data.sent", "500 Internal Server Error")),
        b"GET /seven HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 500",
        line=10,
        values=(("orders", "^{{}}$"), ("request", "/seven")),
    ),
    "finish called twice": Tutorial(
        """
from twisted.web import server, resource
from twisted.internet import reactor

class Twice(resource.Resource):
    isLeaf = True
    def render_GET(self, request):
        answer = b"once"
        request.write(answer)
        request.finish()
        reactor.callLater(0.05, reactor.stop)
        request.finish()
        return server.NOT_DONE_YET

reactor.listenTCP({port}, server.Site(Twice()), interface="127.0.0.1")
"""
        + ENDS,
        (
            ("data.sent", "200 OK"),
            ("failure", r"RuntimeError: request\.finish was called twice.*tutorial\.py:12"),
            ("log", r"UserWarning: .*request\.finish called twice"),
        ),
        b"GET / HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 200",
        line=12,
        values=(("answer", "^b'once'$"),),
    ),
    "static files": Tutorial(
        """
from twisted.web import server, static
from twisted.internet import reactor
reactor.listenTCP({port}, server.Site(static.File(".")), interface="127.0.0.1")
reactor.callLater(20, reactor.stop)
from twisted.web import http
done = http.HTTPChannel.connectionLost
def lost(self, reason):
    done(self, reason)
    reactor.callLater(0, reactor.stop)
http.HTTPChannel.connectionLost = lost
reactor.run()
""",
        (("data.received", "GET /none"), ("data.sent", "404 Not Found")),
        b"GET /none HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 404",
    ),
    # -- mistakes
    "a factory that is none": Tutorial(
        """
from twisted.internet import reactor

port, factory = {port}, object()
reactor.listenTCP(port, factory)
reactor.run()
""",
        (
            ("failure", r"AttributeError: 'object' object has no attribute 'doStart'.*tutorial\.py:5"),
            ("log", "exit code 1"),
        ),
        code=1,
        line=5,
        values=(("port", "^{port}$"), ("factory", "<object object")),
    ),
    "a protocol in the place of a factory": Tutorial(
        """
from twisted.internet import protocol, reactor

class Echo(protocol.Protocol):
    pass

reactor.listenTCP({port}, Echo())
reactor.run()
""",
        (("failure", r"AttributeError: 'Echo' object has no attribute 'doStart'"), ("log", "exit code 1")),
        code=1,
        line=7,
        values=(("Echo", "class .*Echo"),),
    ),
    "a name that is not imported": Tutorial(
        "from twisted.internet import reactor\nreactor.listenTCP(8000, Factory())\n",
        (("failure", r"NameError: name 'Factory' is not defined.*tutorial\.py:2"), ("log", "exit code 1")),
        code=1,
        line=2,
        values=(("reactor", "Reactor"),),
    ),
    "a line that is no Python": Tutorial(
        "from twisted.internet import reactor\nprint 'hello'\n",
        (("failure", "SyntaxError: Missing parentheses"), ("log", "exit code 1")),
        code=1,
    ),
    "a module that is not there": Tutorial(
        "import twisted.internet.nothing\n",
        (("failure", "ModuleNotFoundError: No module named 'twisted.internet.nothing'"),),
        code=1,
    ),
    "an attribute that the reactor does not have": Tutorial(
        """
from twisted.internet import reactor
reactor.listenTPC(8000, None)
""",
        (("failure", r"AttributeError: .*listenTPC.*tutorial\.py:3"),),
        code=1,
        line=3,
        values=(("reactor", "Reactor"),),
    ),
    "text where bytes belong": Tutorial(
        ECHO.replace("self.transport.write(data)", 'self.transport.write("hello")'),
        (
            ("data.received", "hello"),
            ("failure", "TypeError: Data must.* be (bytes|unicode)"),
            ("connection.closed", "failure"),
        ),
        b"hello",
        line=6,
        values=(("data", "^b'hello'$"), ("self", "Echo")),
    ),
    "dataReceived that raises": Tutorial(
        ECHO.replace("self.transport.write(data)", 'raise ValueError("cannot parse")'),
        (("data.received", "hello"), ("failure", "ValueError: cannot parse"), ("connection.closed", "after a failure")),
        b"hello",
        line=6,
        values=(("data", "^b'hello'$"),),
    ),
    "buildProtocol that raises": Tutorial(
        """
from twisted.internet import protocol, reactor

class Broken(protocol.Factory):
    def buildProtocol(self, addr):
        reactor.callLater(0.05, reactor.stop)
        raise OSError("no room")

reactor.listenTCP({port}, Broken(), interface="127.0.0.1")
"""
        + ENDS,
        (("connection.opened", "accepted"), ("failure", "OSError: no room"), ("connection.closed", "after a failure")),
        b"",
    ),
    "buildProtocol that returns nothing": Tutorial(
        """
from twisted.internet import protocol, reactor

class Nothing(protocol.Factory):
    def buildProtocol(self, addr):
        reactor.callLater(0.05, reactor.stop)

reactor.listenTCP({port}, Nothing(), interface="127.0.0.1")
"""
        + ENDS,
        (("connection.opened", "accepted"), ("connection.closed", "refused by the program")),
        b"",
    ),
    "the reactor is run twice": Tutorial(
        """
from twisted.internet import reactor
reactor.callWhenRunning(reactor.stop)
reactor.run()
reactor.run()
""",
        (("failure", r"ReactorNotRestartable.*tutorial\.py:5"),),
        code=1,
        line=5,
        values=(("reactor", "Reactor"),),
    ),
    "stop before run": Tutorial(
        "from twisted.internet import reactor\nreactor.stop()\n",
        (("failure", "ReactorNotRunning"),),
        code=1,
        line=2,
    ),
    "a port that is taken": Tutorial(
        """
import socket
from twisted.internet import protocol, reactor
taken = socket.create_server(("127.0.0.1", 0))
reactor.listenTCP(taken.getsockname()[1], protocol.Factory(), interface="127.0.0.1")
""",
        (("service.failed", "Couldn't listen on 127.0.0.1"), ("failure", "CannotListenError")),
        code=1,
        line=5,
        values=(("taken", "socket"),),
    ),
    # -- more ways to listen and connect
    "wrapClientTLS, and TLS put round an endpoint": Tutorial(
        """
from twisted.internet import reactor, protocol, ssl, endpoints
from twisted.internet.ssl import Certificate, KeyPair, PrivateCertificate

key = KeyPair.generate(size=2048)
certificate = Certificate(key.selfSignedCert(1, CN="localhost").original)
private = PrivateCertificate.fromCertificateAndKeyPair(certificate, key)

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data.upper())

class Client(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"secret")
    def dataReceived(self, data):
        print("client got", data)
        reactor.stop()

def listening(port):
    point = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    trusting = ssl.CertificateOptions()
    return endpoints.connectProtocol(endpoints.wrapClientTLS(trusting, point), Client())

server = endpoints.SSL4ServerEndpoint(reactor, 0, private.options(), interface="127.0.0.1")
server.listen(protocol.Factory.forProtocol(Echo)).addCallback(listening)
"""
        + ENDS,
        (("tls.opened", r"TLS 1\.3"), ("data.received", "^secret"), ("data.sent", "^SECRET"), ("log", "got b'SECRET'")),
    ),
    "a port that is adopted": Tutorial(
        """
import socket
from twisted.internet import reactor, protocol, endpoints

class Hello(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"adopted")
        self.transport.loseConnection()

class Client(protocol.Protocol):
    def dataReceived(self, data):
        print("client got", data)
        reactor.stop()

listening = socket.create_server(("127.0.0.1", 0))
listening.setblocking(False)
reactor.adoptStreamPort(listening.fileno(), socket.AF_INET, protocol.Factory.forProtocol(Hello))
point = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", listening.getsockname()[1])
endpoints.connectProtocol(point, Client())
"""
        + ENDS,
        (("service.started", "listening on 127"), ("data.sent", "adopted"), ("log", "got b'adopted'")),
    ),
    "spawnProcess, which is handed no descriptor of ours": Tutorial(
        """
import os, sys
from twisted.internet import reactor, protocol

class Child(protocol.ProcessProtocol):
    out = b""
    def outReceived(self, data):
        self.out += data
    def processEnded(self, reason):
        print("descriptors", self.out.decode().strip())
        reactor.stop()

look = "import os; print(sorted(n for n in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + n)))"
reactor.spawnProcess(Child(), sys.executable, [sys.executable, "-SE", "-c", look], env=os.environ)
"""
        + ENDS,
        (("log", r"descriptors \['0', '1', '2'\]$"),),
    ),
    "StandardIO": Tutorial(
        """
from twisted.internet import reactor, protocol, stdio

class Lines(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"on standard output")
        self.transport.loseConnection()
    def connectionLost(self, reason):
        print("all is written")
        reactor.callLater(0, reactor.stop)

stdio.StandardIO(Lines())
"""
        + ENDS,
        (("log", "all is written"), ("log", "exit code 0")),
    ),
    "names, server and client": Tutorial(
        """
from twisted.internet import reactor, defer
from twisted.names import client, common, dns, server

class Answers(common.ResolverBase):
    def _lookup(self, name, cls, type, timeout):
        return defer.succeed(([dns.RRHeader(name, dns.A, payload=dns.Record_A("192.0.2.7"))], [], []))

factory = server.DNSServerFactory(clients=[Answers()])
port = reactor.listenUDP(0, dns.DNSDatagramProtocol(factory), interface="127.0.0.1")
resolver = client.Resolver(servers=[("127.0.0.1", port.getHost().port)])
d = resolver.lookupAddress("example.org").addCallback(lambda found: print("found", found[0][0].payload.dottedQuad()))
d.addErrback(lambda f: f.printTraceback()).addBoth(lambda _: reactor.stop())
"""
        + ENDS,
        (
            ("service.started", ""),
            ("datagram.sent", "example"),
            ("datagram.received", "example"),
            ("datagram.sent", "example"),
            ("log", "found 192.0.2.7"),
        ),
    ),
    "SMTP, server and client": Tutorial(
        """
from io import BytesIO
from zope.interface import implementer
from twisted.internet import reactor, defer
from twisted.mail import smtp

@implementer(smtp.IMessage)
class Message:
    def lineReceived(self, line):
        print("line", line)
    def eomReceived(self):
        return defer.succeed(None)
    def connectionLost(self):
        pass

@implementer(smtp.IMessageDelivery)
class Delivery:
    def receivedHeader(self, helo, origin, recipients):
        return b"Received: here"
    def validateFrom(self, helo, origin):
        return origin
    def validateTo(self, user):
        return Message

class Factory(smtp.SMTPFactory):
    protocol = smtp.ESMTP
    def buildProtocol(self, addr):
        p = super().buildProtocol(addr)
        p.delivery = Delivery()
        return p

port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
mail = BytesIO(b"Subject: hello\\n\\ntext")
d = smtp.sendmail("127.0.0.1", "a@example.org", ["b@example.org"], mail, port=port.getHost().port)
d.addCallback(lambda r: print("sent to", r[0]))
d.addErrback(lambda f: f.printTraceback()).addBoth(lambda _: reactor.stop())
"""
        + ENDS,
        (
            ("data.sent", "220 "),
            ("data.sent", "MAIL FROM:<a@example.org>"),
            ("log", "line b'Subject: hello'"),
            ("log", "sent to 1"),
        ),
    ),
    "an .rpy": Tutorial(
        """
from twisted.internet import reactor
from twisted.web import script, server, static

with open("hello.rpy", "w") as file:
    file.write('''
from twisted.internet import reactor
from twisted.web import resource
class Hello(resource.Resource):
    def render_GET(self, request):
        request.notifyFinish().addBoth(lambda _: reactor.callLater(0.05, reactor.stop))
        return b"from an rpy"
resource = Hello()
''')
root = static.File(".")
root.processors = {{".rpy": script.ResourceScript}}
reactor.listenTCP({port}, server.Site(root), interface="127.0.0.1")
"""
        + ENDS,
        (("data.received", "GET /hello.rpy"), ("data.sent", "from an rpy")),
        b"GET /hello.rpy HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 200",
    ),
    "a plugin of its own": Tutorial(
        """
import os
os.makedirs("twisted/plugins")
with open("twisted/plugins/greeting.py", "w") as file:
    file.write('''
from zope.interface import Interface, implementer
from twisted.plugin import IPlugin
class IGreeting(Interface):
    pass
@implementer(IPlugin, IGreeting)
class Greeting:
    name = "greeting"
greeting = Greeting()
''')
from twisted.plugin import IPlugin, getPlugins
print("found", [p.name for p in getPlugins(IPlugin) if getattr(p, "name", "") == "greeting"])
""",
        (("log", r"found \['greeting'\]"),),
    ),
    # -- more mistakes
    "a Deferred that is fired twice": Tutorial(
        """
from twisted.internet import defer

def twice():
    answer = 17
    d = defer.Deferred()
    d.callback(answer)
    d.callback(answer)

twice()
""",
        (("failure", r"AlreadyCalledError.*tutorial\.py:8"), ("log", "exit code 1")),
        code=1,
        line=8,
        values=(("answer", "^17$"),),
    ),
    "a Deferred in the place of bytes": Tutorial(
        ECHO.replace("self.transport.write(data)", "__import__('twisted').internet.defer.succeed(data).decode()"),
        (("failure", r"AttributeError: 'Deferred' object has no attribute 'decode'.*tutorial\.py:6"),),
        b"hello",
        line=6,
        values=(("data", "^b'hello'$"),),
    ),
    "a Deferred that was not returned": Tutorial(
        """
from twisted.internet import defer, reactor, task

def fetch():
    return task.deferLater(reactor, 0.01, lambda: b"a page")

def get(address):
    page = fetch()
    page.addCallback(bytes.decode)

def show(text):
    print(text.upper())

defer.succeed("http://example.org/").addCallback(get).addCallback(show)
reactor.callLater(0.1, reactor.stop)
reactor.run()
""",
        (("failure", r"AttributeError: 'NoneType' object has no attribute 'upper'.*tutorial\.py:12"),),
        line=12,
        values=(("text", "^None$"),),
    ),
    "a Deferred that was not yielded": Tutorial(
        """
from twisted.internet import defer, reactor, task

@defer.inlineCallbacks
def main():
    count = task.deferLater(reactor, 0.01, lambda: 3)
    yield
    print(count + 1)

reactor.callWhenRunning(main)
reactor.callLater(0.1, reactor.stop)
reactor.run()
""",
        (("failure", r"TypeError: unsupported operand.*'Deferred' and 'int'.*tutorial\.py:8"),),
        line=8,
        values=(("count", "<Deferred at"),),
    ),
    "a coroutine that nobody awaits": Tutorial(
        """
from twisted.internet import reactor

async def main():
    print("never")

main()
reactor.callLater(0.01, reactor.stop)
reactor.run()
""",
        (("log", r"tutorial\.py:7: RuntimeWarning: coroutine 'main' was never awaited"),),
        never=("^never$",),
    ),
    "an error in a callback that nobody handles": Tutorial(
        """
from twisted.internet import defer, reactor

def ship(order):
    address = order["address"]

d = defer.Deferred()
d.addCallback(ship)
reactor.callLater(0.01, d.callback, {{"number": 17}})
reactor.callLater(0.1, reactor.stop)
reactor.callLater(0.05, globals().pop, "d")
reactor.run()
""",
        (("failure", r"KeyError: 'address'.*tutorial\.py:5"),),
        line=5,
        values=(("order", "{{'number': 17}}"),),
    ),
    "the reactor is run while it runs": Tutorial(
        """
from twisted.internet import reactor

def again(why):
    reactor.run()

reactor.callLater(0.01, again, "a test")
reactor.callLater(0.1, reactor.stop)
reactor.run()
""",
        (("failure", r"ReactorAlreadyRunning.*tutorial\.py:5"),),
        line=5,
        values=(("why", "^'a test'$"),),
    ),
    "a protocol that sleeps": Tutorial(
        ECHO.replace("self.transport.write(data)", "__import__('time').sleep(3); self.transport.write(data)"),
        (
            ("data.received", "hello"),
            ("loop.blocked", r"tutorial\.py:6 has blocked the program's reactor"),
            ("data.sent", "hello"),
        ),
        b"hello",
        b"hello",
        line=6,
    ),
    "a thread that writes to a transport": Tutorial(
        """
from twisted.internet import protocol, reactor

class Later(protocol.Protocol):
    def connectionMade(self):
        reactor.callInThread(self.work, 42)
    def work(self, answer):
        self.transport.writeSequence([b"answer ", b"%d" % answer])
        reactor.callFromThread(self.transport.loseConnection)
    def connectionLost(self, reason):
        reactor.stop()

reactor.listenTCP({port}, protocol.Factory.forProtocol(Later), interface="127.0.0.1")
"""
        + ENDS,
        (
            (
                "failure",
                r"RuntimeError: transport\.write was called from the thread PoolThread.*"
                r"reactor\.callFromThread\(transport\.write, …\).*tutorial\.py:8",
            ),
            ("connection.closed", "closed by us"),
        ),
        b"GET",  # its client stays: a peer that goes meanwhile is a mistake of its own
        b"answer 42",
        line=8,
        values=(("answer", "^42$"),),
    ),
    "a thread that calls the reactor": Tutorial(
        """
import threading
from twisted.internet import reactor

def work(name):
    for n in range(100):
        reactor.callLater(0, print, name, n)
    reactor.callFromThread(reactor.callLater, 0.05, reactor.stop)

reactor.callWhenRunning(threading.Thread(target=work, args=("worker",)).start)
reactor.run()
""",
        (("failure", r"RuntimeError: reactor\.callLater was called from the thread.*tutorial\.py:7"),),
        line=7,
        values=(("name", "^'worker'$"), ("n", "^0$")),
    ),
    "a method that is not there": Tutorial(
        ECHO.replace("self.transport.write(data)", "self.transport.send(data)"),
        (("failure", r"AttributeError: .*'send'.*tutorial\.py:6"),),
        b"hello",
        line=6,
        values=(("data", "^b'hello'$"),),
    ),
    # -- ends
    "sys.exit with a number": Tutorial("import sys\nsys.exit(3)\n", (("log", "exit code 3"),), code=3),
    "sys.exit with words": Tutorial("import sys\nsys.exit('no config')\n", (("log", "exit code 1"),), code=1),
    "os._exit in the middle": Tutorial(
        "import os\nprint('so far')\nos._exit(7)\n", (("log", "so far"), ("log", r"os\._exit\(7\)")), code=7
    ),
    "a fork": Tutorial(
        """
import os, sys
child = os.fork()
if child == 0:
    print("in the child")
    sys.exit(5)
print("child ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""",
        (("log", "child ended with 5"), ("log", "exit code 0")),
        never=("in the child",),
    ),
    "a kill from itself": Tutorial(
        "import os, signal\nprint('so far')\nos.kill(os.getpid(), signal.SIGKILL)\n",
        (("log", "so far"), ("log", "os.kill with SIGKILL")),
        code=DIES,
    ),
    "much that is printed": Tutorial(
        "for n in range(20_000):\n    print('line', n, 'x' * 100)\n",
        (("log", "line 0 x"), ("log", "line 19999 x"), ("log", "exit code 0")),
    ),
    "a line without an end": Tutorial(
        "import sys\nprint('no end', end='')\nprint('wrong', file=sys.stderr, end='')\n",
        (("log", "no end"), ("log", "wrong")),
    ),
    # -- logs
    "log.startLogging": Tutorial(
        """
import sys
from twisted.python import log
log.startLogging(sys.stdout)
log.msg("told once")
print("printed once")
""",
        (("log", "told once"), ("log", "printed once")),
    ),
    "Logger and warnings": Tutorial(
        """
import warnings
from twisted.logger import Logger
log = Logger(namespace="orders")
log.info("shipped {n}", n=3)
log.warn("late {n}", n=4)
try:
    raise ValueError("bad order")
except ValueError:
    log.failure("cannot ship")
warnings.warn("old way")
""",
        (("log", "shipped 3"), ("log", "late 4"), ("failure", "ValueError: bad order"), ("log", "old way")),
    ),
    # -- reactors
    "the reactor of asyncio": Tutorial(
        """
import asyncio
from twisted.internet import asyncioreactor
asyncioreactor.install(asyncio.new_event_loop())
"""
        + ECHO,
        ECHOED,
        b"hello",
        b"hello",
    ),
    "the reactor of select": Tutorial(
        "from twisted.internet import selectreactor\nselectreactor.install()\n" + ECHO, ECHOED, b"hello", b"hello"
    ),
    "a reactor that comes too late": Tutorial(
        """
from twisted.internet import reactor
from twisted.internet import selectreactor
selectreactor.install()
""",
        (("failure", "ReactorAlreadyInstalledError"),),
        code=1,
    ),
    # -- more of Twisted
    "a perspective broker": Tutorial(
        """
from twisted.spread import pb
from twisted.internet import reactor

class Root(pb.Root):
    def remote_add(self, a, b):
        return a + b

port = reactor.listenTCP(0, pb.PBServerFactory(Root()), interface="127.0.0.1")
factory = pb.PBClientFactory()
reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
d = factory.getRootObject().addCallback(lambda root: root.callRemote("add", 2, 3))
d.addCallback(lambda sum: print("sum", sum)).addBoth(lambda _: reactor.stop())
"""
        + ENDS,
        (("service.started", ""), ("data.sent", ""), ("log", "sum 5")),
    ),
    "AMP": Tutorial(
        """
from twisted.protocols import amp
from twisted.internet import reactor, endpoints, protocol

class Sum(amp.Command):
    arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response = [(b"total", amp.Integer())]

class Math(amp.AMP):
    @Sum.responder
    def sum(self, a, b):
        return {{"total": a + b}}

port = reactor.listenTCP(0, protocol.Factory.forProtocol(Math), interface="127.0.0.1")
d = endpoints.connectProtocol(endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), amp.AMP())
d.addCallback(lambda p: p.callRemote(Sum, a=13, b=81)).addCallback(lambda r: print("total", r["total"]))
d.addErrback(lambda f: f.printTraceback()).addBoth(lambda _: reactor.stop())
"""
        + ENDS,
        (("data.sent", ""), ("data.received", ""), ("log", "total 94")),
    ),
    "ClientService that comes back": Tutorial(
        """
from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet import reactor, protocol, endpoints

made = 0

class Server(protocol.Protocol):
    def connectionMade(self):
        global made
        made += 1
        if made == 3:
            reactor.callLater(0, reactor.stop)
        self.transport.loseConnection()

port = reactor.listenTCP(0, protocol.Factory.forProtocol(Server), interface="127.0.0.1")
point = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
service = ClientService(point, protocol.Factory.forProtocol(protocol.Protocol),
                        retryPolicy=backoffPolicy(initialDelay=0.01, factor=1, jitter=lambda: 0))
service.startService()
"""
        + ENDS,
        (
            ("connection.opened", "connected to"),
            ("connection.opened", "connected to"),
            ("connection.opened", "connected to"),
        ),
    ),
    "a WebSocket of autobahn": Tutorial(
        """
from autobahn.twisted.websocket import (
    WebSocketClientFactory, WebSocketClientProtocol, WebSocketServerFactory, WebSocketServerProtocol,
)
from twisted.internet import reactor

class Echo(WebSocketServerProtocol):
    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)

class Client(WebSocketClientProtocol):
    def onOpen(self):
        self.sendMessage(b"hello")
    def onMessage(self, payload, isBinary):
        print("echoed", payload)
        reactor.stop()

server = WebSocketServerFactory()
server.protocol = Echo
port = reactor.listenTCP(0, server, interface="127.0.0.1")
client = WebSocketClientFactory("ws://127.0.0.1:%d" % port.getHost().port)
client.protocol = Client
reactor.connectTCP("127.0.0.1", port.getHost().port, client)
"""
        + ENDS,
        (
            ("data.sent", "GET / HTTP/1.1"),
            ("data.received", "GET / HTTP/1.1"),
            ("data.sent", "101 Switching"),
            ("log", "echoed b'hello'"),
        ),
    ),
    "a stop from a signal": Tutorial(
        """
import os, signal
from twisted.internet import reactor
reactor.callLater(0.05, os.kill, os.getpid(), signal.SIGINT)
reactor.addSystemEventTrigger("before", "shutdown", print, "tidying up")
reactor.run()
print("after the reactor")
""",
        (("log", "tidying up"), ("log", "after the reactor")),
    ),
}
