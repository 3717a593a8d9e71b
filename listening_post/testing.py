"""For the tests of plugins: a responder or a fault without a service, on a clock that stands still."""

from listening_post import add_to_path

add_to_path()

from app.plugin.testing import BareContext, FaultyConnection, build, connect  # noqa: E402

__all__ = ["BareContext", "FaultyConnection", "build", "connect"]
