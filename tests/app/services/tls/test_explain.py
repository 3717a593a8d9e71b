"""app.services.tls.explain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.tls.explain import OWN_SIGNER, Ending, Terms, words

SERVER, CLIENT = Terms(), Terms(client=True)

HELLO = b"\x16\3\1\0\x2d\1\0\0\x29\3\3" + bytes(34) + b"\x04\0\x2f\0\x35"


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        ("tlsv1 alert unknown ca", "the client does not trust our CA"),
        ("sslv3 alert bad certificate", "the client does not trust our certificate"),
        ("ssl/tls alert certificate unknown", "the client does not trust our certificate"),
        ("sslv3 alert certificate expired", "the client says that our certificate has expired: compare the clocks"),
        ("tlsv1 alert protocol version", "the client speaks no version of TLS that we do"),
        ("sslv3 alert handshake failure", "the client found no cipher or certificate in common with us"),
        ("tlsv1 alert user cancelled", "the client gave up"),
    ],
)
def test_alerts_are_said_in_words(alert: str, said: str) -> None:
    assert words(SERVER, Ending((alert,), HELLO)) == said


def test_advice_is_given_where_it_helps() -> None:
    terms = Terms(advice="do this")
    assert words(terms, Ending(("tlsv1 alert unknown ca",))) == "the client does not trust our CA (do this)"
    assert words(terms, Ending((), HELLO)).endswith("; perhaps it does not trust our CA (do this)")


def test_of_several_reasons_the_alert_counts() -> None:
    said = ("record layer failure", "tlsv1 alert unknown ca")
    assert words(SERVER, Ending(said, HELLO)) == "the client does not trust our CA"


def test_what_openssl_alone_knows_stands_in_its_own_words() -> None:
    assert words(SERVER, Ending(("bad ecpoint",), HELLO)) == 'OpenSSL says "bad ecpoint"'


def test_what_is_no_tls_after_a_handshake_is_told_from_what_was_changed() -> None:
    assert words(SERVER, Ending(("bad record type", "record layer failure"))) == "what the client sent is not TLS"
    said = ("decryption failed or bad record mac", "record layer failure")
    assert words(SERVER, Ending(said)) == "what the client sent was changed on its way"


def test_a_server_that_sends_our_hello_back_speaks_no_tls() -> None:
    said = words(CLIENT, Ending(("unexpected message",), HELLO))
    assert said == "not TLS at all: the server sends back what it gets"


def test_who_hung_up_before_it_saw_our_certificate_cannot_distrust_it() -> None:
    assert words(SERVER, Ending((), HELLO[:-1])) == "the client closed the connection in the middle of its hello"
    assert words(SERVER, Ending((), HELLO[:5], reset=True)) == "the client reset the connection during the handshake"


def test_a_certificate_of_ones_own_is_not_of_our_ca() -> None:
    own = Terms(signer=OWN_SIGNER)
    assert words(own, Ending(("tlsv1 alert unknown ca",))) == "the client does not trust who signed our certificate"
    assert words(own, Ending((), HELLO)).endswith("; perhaps it does not trust who signed our certificate")


def test_a_server_is_called_one() -> None:
    assert words(CLIENT, Ending(("tlsv1 alert internal error",))) == "the server failed inside"
    assert words(CLIENT, Ending((), b"HTTP/1.1 400 Bad Request")) == "the server speaks plain HTTP, not TLS"
    assert words(CLIENT, Ending((), b"")) == "the server closed the connection without a word"
    assert words(CLIENT, Ending((), b"", certificate=(10, "CN=x"))) == "the server's certificate (CN=x) has expired"


@given(
    st.booleans(),
    st.lists(st.text(max_size=30), max_size=3),
    st.binary(max_size=100),
    st.none() | st.tuples(st.integers(), st.text(max_size=30)),
)
def test_there_are_always_words_on_one_line(
    client: bool, said: list[str], first: bytes, certificate: tuple[int, str] | None
) -> None:
    found = words(Terms(client=client), Ending(tuple(said), first, certificate))
    assert found
    assert found.isprintable()
