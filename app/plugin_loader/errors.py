"""Errors of plugins."""

from __future__ import annotations

from app.errors import PostError


class PluginError(PostError):
    """The plugin {path}: {reason}."""


class PluginWaitingError(PluginError):
    """It comes with the plugin {path}, which is not allowed to run yet. A plugin is code: read it, then trust it
    in the window, or with listening-post trust, or start serve with --trust-plugins."""


class PluginRefusedError(PluginError):
    """It comes with the plugin {path}, which you chose never to load. To be asked again, delete its line
    from {record}, and start Listening Post again."""


class PluginBrokenError(PluginError):
    """The plugin {path} is broken: {reason}. Mend it: it is read again when you save it."""


class PluginStartsError(PluginError):
    """The plugin {path} {does} while it is imported. A plugin only defines what answers: Listening Post runs the
    reactor and opens the ports. Take that out, or put it under if __name__ == "__main__":, and what else the file
    defines can answer here. A whole Twisted program is not a plugin: run it by itself, with python {file}."""

    said_elsewhere = True  # as what is wrong with the plugin; in the log it would be a Deferred that nobody waits for


class PluginEmptyError(PluginError):
    """The plugin {path} offers nothing that answers, and no fault. Decorate a function or a class with @responder, or
    a function with @fault, or define one factory, resource or protocol."""


class PluginAmbiguousError(PluginError):
    """The plugin {path} offers {names} for {protocol}. Say with @responder which one answers."""


class PluginNameTakenError(PluginError):
    """The plugin {path} defines a {what} {name}, and so does {other}. Give it another name."""


class PluginTooLargeError(PluginError):
    """The file {path} is skipped: it has {size}, and a plugin has at most {most}."""


class PluginsTooManyError(PluginError):
    """{count} files are skipped: of {path} and the data folder together, at most {most} plugins are loaded."""


class PluginUnsafeError(PluginError):
    """The plugin {path} is not loaded: other users can change the file. Remove that permission: chmod go-w."""
