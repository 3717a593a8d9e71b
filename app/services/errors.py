"""Errors of services: addresses, ports, responders that cannot be set up, SSH."""

from __future__ import annotations

from app.errors import PostError


class ListenError(PostError):
    """Cannot listen on {address}: {reason}. Choose another address or port."""


class AddressInUseError(ListenError):
    """Port {port} is in use by {owner}. Stop it or choose another port."""


class AddressInUseByOtherError(ListenError):
    """Port {port} is in use by another program. Stop it or choose another port."""


class PrivilegedPortError(ListenError):
    """Port {port} is reserved for administrators. Choose one from 1024 up."""


class AddressNotHereError(ListenError):
    """{host} is not an address of this machine. Use 127.0.0.1, 0.0.0.0 or an address that this machine has."""


class UnknownHostError(ListenError):
    """No address is known for the name {host}. Check its spelling or use a number like 127.0.0.1."""


class PortNotShareableError(ListenError):
    """This system cannot share a port among programs. Turn reuse_port off."""


class GroupNotJoinedError(ListenError):
    """Cannot join the multicast group {group}: {reason}. Name one of {names} in multicast_interface."""


class GroupUnreachableError(ListenError):
    """What is sent to the multicast group {group} does not reach a service on {host}. Listen on {wanted}."""


class InvalidAddressError(PostError):
    """{text} is not an address to listen on. Write host:port, as in 127.0.0.1:9007 or [::1]:9007."""


class ResponderBrokenError(PostError):
    """The responder {responder} could not be set up: {reason}. See the Failures pane."""


class NotTrustedError(PostError):
    """This is not trusted yet: {asks}. Answer the question in the window, or run
    listening-post trust {path}; serve has --trust."""


class UnknownResponderError(PostError):
    """There is no responder called {responder}. Restore its plugin, or choose another responder."""


class OptionWrongError(PostError):
    """The option {key} of {responder} {problem}."""


class ManholeExposedError(PostError):
    """A prompt into the running program is for this machine only: listen on 127.0.0.1 or ::1, not on {host}."""


class HostKeyError(PostError):
    """The host key {path} cannot be used: {reason}. Delete it; then a new one is made."""
