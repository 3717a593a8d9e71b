"""The program's exit codes, as ``docs/commands.md`` promises them to scripts."""

DONE = 0
FAILED = 1
"""What was asked for failed."""

WRONG_USAGE = 2
"""The command line, or a filter on it, cannot be understood."""

SIGNALLED = 128
"""Plus the number of the signal that ended the program, as a shell counts."""

INTERRUPTED = SIGNALLED + 2
"""By Ctrl+C, which is SIGINT."""
