"""Writing a capture: batches, the writer process, and the link to it."""
