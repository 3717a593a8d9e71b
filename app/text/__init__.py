"""Bytes and text: escapes, encodings, framing, templates, checksums, patterns, JSON."""
