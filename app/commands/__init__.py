"""The commands of ``listening-post``, one module each."""
