"""What the author of a plugin imports: see docs/plugins.md."""

from app.options import Option, Options
from app.plugin.declare import IResponder, responder
from app.plugin.handling import Connection
from app.plugin.web import Request
from app.responders import Context, Responder

__all__ = ["Connection", "Context", "IResponder", "Option", "Options", "Request", "Responder", "responder"]
