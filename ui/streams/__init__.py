"""Follow stream: the data of one connection, both directions, in one view."""
