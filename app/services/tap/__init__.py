"""The Tap: records what passes between a transport and a protocol, and holds it back."""
