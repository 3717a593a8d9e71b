"""``listening-post trust``: allow what a workspace asks for, as the window does after its question."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.commands.exit_codes import DONE
from app.commands.printing import output
from app.text.escapes import one_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workspace", type=Path)
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--folder", action="store_true", help="trust everything in its folder, including what is put there later"
    )
    form.add_argument("--forget", action="store_true", help="forget the answer about the file and its folder")


def run(args: argparse.Namespace) -> int:
    from app.commands.errors import AnswerNotKeptError, FolderNotTrustableError
    from app.commands.printing.asked import lines
    from app.plugin_loader.table import TABLE
    from app.workspace import reading as workspace
    from app.workspace.gate import Gate

    path = args.workspace
    trust = TABLE.trust
    if args.forget:
        trust.forget(path)
        words = f"{path} is not trusted any more, nor is its folder"
    else:
        loaded = workspace.load(path)
        gate = Gate()
        gate.enter(loaded)
        for line in lines(loaded):
            print(line)
        waiting = [plugin for plugin in TABLE.plugins.values() if plugin.waiting]
        question = gate.question(waiting)
        if args.folder and question is not None and not question.folders:
            raise FolderNotTrustableError(path=path.parent)
        gate.allow("folder" if args.folder else "content", waiting)
        words = f"the folder of {path} is trusted" if args.folder else f"{path} is trusted as it is now"
        if question is None and not args.folder:
            words = f"{path} needs no answer"
    output.warn(trust.trouble)
    try:
        trust.save()
    except OSError as e:
        raise AnswerNotKeptError(path=trust.file, reason=e.strerror or e) from e
    print(one_line(words))
    return DONE
