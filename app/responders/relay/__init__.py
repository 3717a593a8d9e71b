"""How a relay passes on what it gets, for each protocol; the responder ``relay`` is made of it."""
