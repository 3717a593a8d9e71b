"""How a program has ended, in words."""

from __future__ import annotations

import signal


def in_words(code: int, blocked: str, last: str, tail: bytes) -> str:
    """One sentence.

    Args:
        code: its exit code; negative for the signal that ended it.
        blocked: what kept its reactor from answering; empty: nothing.
        last: its last failure, or how it says that it ended; empty where there is none.
        tail: what it has written to standard error last, which counts where it could not even begin.
    """
    if code < 0:
        words = f"It was ended by {signal.Signals(-code).name}"
        if blocked:
            words += f" while {blocked}"
    else:
        words = f"It ended with exit code {code}"
    if not last and code > 0 and tail:
        last = tail.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"{words}: {last.rstrip('.')}." if last and code else f"{words}."
