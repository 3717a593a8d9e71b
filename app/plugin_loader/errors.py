"""Errors of plugins."""

from __future__ import annotations

from app.errors import PostError


class PluginError(PostError):
    """The plugin {path}: {reason}."""


class PluginWaitingError(PluginError):
    """The plugin {path} is not trusted yet. A plugin is code: read it, then trust it
    in the window, or with listening-post trust, or start serve with --trust-plugins."""


class PluginRefusedError(PluginError):
    """The plugin {path} is never loaded, as you chose. To be asked again, delete its line
    from {record}, and restart Listening Post."""


class PluginBrokenError(PluginError):
    """The plugin {path} is broken: {reason}. Correct it; it is reloaded when you save it."""


class PluginStartsError(PluginError):
    """The plugin {path} {does} while it is imported. A plugin only defines what answers: Listening Post runs the
    reactor and opens the ports. Remove that, or put it under if __name__ == "__main__":, and what else the file
    defines can answer here. A whole Twisted program is not a plugin: run it by itself, with python {file}."""

    said_elsewhere = True  # as what is wrong with the plugin; in the log it would be a Deferred that nobody waits for


class PluginEmptyError(PluginError):
    """The plugin {path} has no responder and no fault. Decorate a function or a class with @responder, or
    a function with @fault, or define one factory, resource or protocol."""


class PluginAmbiguousError(PluginError):
    """The plugin {path} has {names} for {protocol}. Decorate with @responder the one that answers."""


class PluginNameTakenError(PluginError):
    """The plugin {path} and {other} both define a {what} {name}. Rename one of them."""


class PluginTooLargeError(PluginError):
    """The file {path} is skipped: its size is {size}, and a plugin has at most {most}."""


class PluginsTooManyError(PluginError):
    """{count} files are skipped: of {path} and the data folder together, at most {most} plugins are loaded."""


class PluginUnsafeError(PluginError):
    """The plugin {path} is not loaded: other users can change the file. Remove that permission: chmod go-w."""
