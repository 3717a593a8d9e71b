"""What exporters share: packets, and HTTP exchanges put together from raw bytes."""
