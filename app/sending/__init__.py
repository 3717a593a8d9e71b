"""The sending side: one module for each client, found by the scheme of a URL.

The module of a client holds ``CONVERSATION``, a subclass of ``app.sending.conversation.Conversation``.
It is imported when something is first sent through it: HTTP and WebSocket take long to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.sending.conversation import Conversation
    from app.sending.request import Request
    from app.sending.sender import Sender


def open_conversation(request: Request, sender: Sender) -> Conversation:
    """A conversation that has not connected yet: ``await`` its ``connect()``."""
    module = import_module(f"{__name__}.{request.url.client.module}")
    conversation: Conversation = module.CONVERSATION(request, sender)
    return conversation
