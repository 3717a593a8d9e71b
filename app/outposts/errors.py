"""Errors of reading and controlling a Post from another process."""

from __future__ import annotations

from app.errors import PostError


class RefusedError(PostError):
    """{reason}."""


class NoOutpostError(PostError):
    """Nothing answers at {path}: {reason}. Start a workspace with: listening-post serve WORKSPACE --control {path}"""


class SocketTakenError(PostError):
    """The workspace cannot be controlled through {path}: {reason}."""


class NotOurProtocolError(PostError):
    """The program that answers at {path} is not an outpost of this version: {reason}. Use the same version on
    both sides."""


class OlderOutpostError(PostError):
    """{outpost} runs an older version ({program}), which does not know {what}. Update Listening Post there."""


class KeyFileError(PostError):
    """The key {path} cannot be used: {reason}."""


class RouterError(PostError):
    """Outposts cannot be reached through the router {url}: {reason}."""


class LostError(PostError):
    """The outpost {target} cannot be reached: {reason}."""


class FalseOutpostError(PostError):
    """The outpost {target} broke the protocol: {reason}. The link is closed, and opened again later."""


class ItselfError(PostError):
    """The outpost {name} is this program itself: it captures into the same file. Remove the outpost."""


class StartError(PostError):
    """The command {command} cannot be started: {reason}."""
