"""Rules that answer HTTP requests: what they ask of a request, and what they answer."""
