"""The commands of ``listening-post``, one module or folder each."""
