"""Follow stream: one connection as a conversation."""
