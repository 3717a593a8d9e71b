"""Which columns are left out where there is little room."""

from __future__ import annotations

from collections.abc import Sequence


def left_out(widths: Sequence[int], yields: Sequence[int], room: int) -> set[int]:
    """The indices of the columns that have to go for the others to fit into ``room``.

    Widths are in pixels; that of a column which stretches is the least that it needs. Those with the highest
    ``yields`` go first, those with 0 never.
    """
    over, out = sum(widths) - room, set()
    for at in sorted(range(len(widths)), key=lambda at: -yields[at]):
        if over <= 0 or not yields[at]:
            break
        out.add(at)
        over -= widths[at]
    return out
