"""What the author of a plugin imports: see docs/plugins.md."""

from app.faults.hits import Hit
from app.options import Mistake, Option, Options
from app.plugin.declare import IResponder, responder
from app.plugin.declare_fault import fault
from app.plugin.handling import Connection
from app.plugin.web import Request
from app.responders import Context, Responder

__all__ = [
    "Connection", "Context", "Hit", "IResponder", "Mistake", "Option", "Options", "Request", "Responder",
    "fault", "responder",
]  # fmt: skip
