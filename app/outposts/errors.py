"""Errors of reading and steering a Post from another process."""

from __future__ import annotations

from app.errors import PostError


class RefusedError(PostError):
    """{reason}."""


class NoOutpostError(PostError):
    """Nothing answers at {path}: {reason}. Start a workspace with: listening-post serve WORKSPACE --control {path}"""


class SocketTakenError(PostError):
    """Cannot be controlled through {path}: {reason}."""


class NotOurProtocolError(PostError):
    """What answers at {path} is no outpost of this version: {reason}."""


class OlderOutpostError(PostError):
    """{outpost} runs an older version ({program}), which does not know {what}. Update Listening Post there."""


class KeyFileError(PostError):
    """The key {path} cannot be used: {reason}."""


class RouterError(PostError):
    """Outposts cannot be reached through the router {url}: {reason}."""


class LostError(PostError):
    """The outpost {target} cannot be reached: {reason}."""


class FalseOutpostError(PostError):
    """The outpost {target} does not keep to the protocol: {reason}. The link is cut, and tried again later."""


class ItselfError(PostError):
    """The outpost {name} captures into the file that it would be read into: it is this program itself."""


class StartError(PostError):
    """{command} cannot be started: {reason}."""
