"""WebSocket without I/O: facts and parts that several rooms need."""
