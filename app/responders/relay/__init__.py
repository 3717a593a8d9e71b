"""The responder ``relay``: one module for each protocol that it passes on."""
