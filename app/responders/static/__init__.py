"""The responder ``static``: the files of a folder over HTTP."""
