"""Services on real sockets, for responders whose clients matter."""

from tests.app.services.conftest import desk, tape

__all__ = ["desk", "tape"]
