"""WebSocket services: autobahn behind the Tap."""
