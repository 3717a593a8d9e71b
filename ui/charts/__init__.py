"""Charts: what happened over time, of the capture that is written and of opened ones."""
