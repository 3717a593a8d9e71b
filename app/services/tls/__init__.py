"""TLS of services and of connections that we open: certificates, handshakes, key log."""
