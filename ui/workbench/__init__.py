"""The page of a service: its settings as forms, applied while it runs, and its rules as rows."""
