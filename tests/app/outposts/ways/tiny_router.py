"""A WAMP router with no more than tests need: login by cryptosign, one realm, calls, hints.

The real one is tried by ``make fleet``.
"""

from itertools import count

from autobahn.twisted.websocket import WampWebSocketServerFactory
from autobahn.wamp import message as m
from autobahn.wamp.role import RoleBrokerFeatures, RoleDealerFeatures
from autobahn.wamp.serializer import MsgPackSerializer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from twisted.internet import reactor

ROLES = {
    "broker": RoleBrokerFeatures(pattern_based_subscription=True, publisher_identification=True),
    "dealer": RoleDealerFeatures(pattern_based_registration=True, caller_identification=True, call_canceling=True),
}


class TinyRouter:
    """Listens on loopback.

    Attributes:
        known: the names that may log in, with their public keys.
        sessions: who is logged in.
        procedures: who answers calls, by the beginning of their names.
        passed: the arguments and results of calls.
        forced: what it makes of the result of each call.
    """

    def __init__(self, known, port=0):
        self.known, self.sessions, self.procedures, self.watchers = known, [], {}, []
        self.passed, self.forced = [], lambda args: args
        factory = WampWebSocketServerFactory(lambda: _Session(self), serializers=[MsgPackSerializer()])
        factory.noisy = False
        self._port = reactor.listenTCP(port, factory, interface="127.0.0.1")
        self.port = self._port.getHost().port
        self.url = f"ws://127.0.0.1:{self.port}/ws"

    def close(self):
        for session in list(self.sessions):
            session.transport.abort()
        return self._port.stopListening()


class _Session:
    numbers = count(1)
    _authid = _session_id = None  # autobahn names them in its log

    def __init__(self, router):
        self.router, self.name, self.calls = router, "", {}

    def onOpen(self, transport):
        self.transport = transport
        self.router.sessions.append(self)

    def onClose(self, was_clean):
        router = self.router
        router.sessions.remove(self)
        if self in router.watchers:
            router.watchers.remove(self)
        for prefix in [prefix for prefix, session in router.procedures.items() if session is self]:
            del router.procedures[prefix]
        for caller, request in self.calls.values():
            if caller in router.sessions:
                caller.transport.send(m.Error(m.Call.MESSAGE_TYPE, request, "wamp.error.canceled"))

    def onMessage(self, message):
        getattr(self, f"on_{type(message).__name__.lower()}", lambda _: None)(message)

    def on_hello(self, hello):
        self.name = hello.authid
        if hello.authextra["pubkey"] != self.router.known.get(self.name):
            self.transport.send(m.Abort("post.refused", message=f"the router knows no key of {self.name}"))
            self.transport.close()
            return
        self.transport.send(m.Challenge("cryptosign", {"challenge": "5a" * 32}))

    def on_authenticate(self, answer):
        signed = bytes.fromhex(answer.signature)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.router.known[self.name]))
        key.verify(signed[:64], b"\x5a" * 32)
        assert signed[64:] == b"\x5a" * 32
        self.transport.send(m.Welcome(next(self.numbers), ROLES, realm="post.lab", authid=self.name))

    def on_register(self, asked):
        if not asked.procedure.startswith(f"post.{self.name}."):
            self.transport.send(m.Error(m.Register.MESSAGE_TYPE, asked.request, "wamp.error.not_authorized"))
            return
        assert asked.match == "prefix"
        self.router.procedures[asked.procedure] = self
        self.registration = next(self.numbers)
        self.transport.send(m.Registered(asked.request, self.registration))

    def on_subscribe(self, asked):
        self.router.watchers.append(self)
        self.subscription = next(self.numbers)
        self.transport.send(m.Subscribed(asked.request, self.subscription))

    def on_publish(self, told):
        for session in self.router.watchers:
            event = m.Event(session.subscription, next(self.numbers), told.args, topic=told.topic)
            session.transport.send(event)

    def on_call(self, call):
        found = [session for prefix, session in self.router.procedures.items() if call.procedure.startswith(prefix)]
        if not found:
            error = m.Error(m.Call.MESSAGE_TYPE, call.request, "wamp.error.no_such_procedure", ["nobody there"])
            self.transport.send(error)
            return
        self.router.passed += call.args
        number = next(self.numbers)
        found[0].calls[number] = self, call.request
        more = {"procedure": call.procedure, "caller_authid": self.name, "caller": 1}
        found[0].transport.send(m.Invocation(number, found[0].registration, call.args, call.kwargs, **more))

    def on_yield(self, result):
        caller, request = self.calls.pop(result.request)
        self.router.passed += result.args
        if caller in self.router.sessions:
            caller.transport.send(m.Result(request, self.router.forced(result.args)))
