"""HTTP services: twisted.web behind the Tap, HTTP/1.1 and HTTP/2."""
