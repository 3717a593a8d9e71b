"""The responder ``manhole``: a Python prompt inside the running program, over SSH."""
