"""The command line: runs the command that it names, and prints on standard error what goes wrong. Imports no Qt."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from app.capture.filters.errors import FilterError
from app.commands import errors, table
from app.commands.exit_codes import DONE, FAILED, INTERRUPTED, WRONG_USAGE
from app.commands.printing import output
from app.errors import PostError, system_words
from app.text.escapes import one_line
from app.workspace.errors import WorkspaceError

WindowCommand = Callable[[Path | None, Path | None, bool, bool], int]
"""Opens the window: workspace, capture, start all, a window of its own. Returns the exit code."""


def main(argv: Sequence[str], window: WindowCommand) -> int:
    """Run the command that ``argv`` (without the program's name) asks for. Returns the exit code."""
    if argv and argv[0] == "capture-writer":  # how a frozen program starts its writer
        from app.capture.writing import writer

        return writer.main(list(argv[1:]))
    if argv and argv[0] == "program-host":  # and a hosted program that runs in its Python
        from app.programs.inside import host

        return host.main(list(argv[1:]))
    with output.checked_stdout(), output.checked_stderr():
        # Behind "run" it may be the hosted program's.
        ours = argv[:2] if argv[:1] == ["run"] else argv
        rest = [arg for arg in ours if arg != "--debug"] + list(argv[len(ours) :])
        return _with_errors_printed(rest, window, debug="--debug" in ours)


def _with_errors_printed(argv: Sequence[str], window: WindowCommand, *, debug: bool) -> int:
    """Run the command; print what goes wrong on standard error, or let it out with ``debug``."""
    try:
        code = _run(argv, window)
        sys.stdout.flush()
        return code
    except WorkspaceError as e:
        if debug:
            raise
        print(_shown(e), file=sys.stderr)  # each line of it begins with the file, as a compiler's
        return FAILED
    except FilterError as e:
        if debug:
            raise
        print(f"listening-post: {e}\n  {e.typed}\n  {' ' * e.at}^", file=sys.stderr)
        return WRONG_USAGE
    except PostError as e:
        if debug:
            raise
        if isinstance(e, errors.OutputError):
            output.discard_rest()
        print(f"listening-post: {_shown(e)}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        output.discard_rest()
        return DONE
    except OSError as e:
        if debug or e.errno not in _SHORT:
            raise
        print(f"listening-post: The system refuses: {system_words(e)}. {_SHORT[e.errno]}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


_TOO_MANY = "Close some, or allow more, as with ulimit -n 4096 in the shell."
_SHORT = {errno.EMFILE: _TOO_MANY, errno.ENFILE: _TOO_MANY, errno.ENOMEM: "Free some memory, and try again."}
"""What to do where the system has no more of something."""


def _shown(error: PostError) -> str:
    """What an error says, with escapes for what would not show: it may quote a file of anybody's."""
    return "\n".join(map(one_line, str(error).split("\n")))


def _run(argv: Sequence[str], window: WindowCommand) -> int:
    named = next((arg for arg in argv if not arg.startswith("-")), "")
    if named not in table.COMMANDS and not (argv and argv[0] in ("-h", "--help", "--version")):
        args = table.window_parser().parse_args(argv)
        return window(args.workspace, args.capture, args.start, args.separate)
    args = table.command_parser(named).parse_args(argv)
    run: Callable[[argparse.Namespace], int] = args.run
    return run(args)
