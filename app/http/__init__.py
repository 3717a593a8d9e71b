"""HTTP without I/O: messages, exchanges, bodies and forms that several rooms need."""
