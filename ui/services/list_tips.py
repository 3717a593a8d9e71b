"""The tooltips of the list of services: whole names, exact figures, reasons in words."""

from __future__ import annotations

from ui.parts.labels import plain
from ui.services.list_delegate import Part
from ui.services.rows import Heading, ServiceRow, translate


def tip(row: ServiceRow | Heading, part: Part) -> str:
    """What is said of the part of a row that is below the pointer, as a tooltip wants it."""
    if isinstance(row, Heading):
        return plain(row.spoken)
    if part == "button":
        if not row.ready:
            return translate("Services", "The service is stopping")
        return translate("Services", "Stop (Space)") if row.up else translate("Services", "Start (Space)")
    if part == "exposed":
        return translate("Services", "Others on the network can reach this service")
    if part == "lock":
        return translate("Services", "Connections are encrypted (TLS)")
    if part == "faults":
        return plain(row.failing)
    if part == "badge":
        return plain(translate("Services", "Protocol: {name}").format(name=row.protocol))
    if part == "allow":
        return plain(allowing(row))
    if part == "figures" and row.connections is not None and not row.reason and not row.refused:
        return row.traffic
    lines = [row.name, row.address, row.reason or row.traffic]
    if row.faults:
        lines.append(row.failing)
    if row.refused:
        lines.append(allowing(row))
    return "<br>".join(map(plain, lines))


def allowing(row: ServiceRow) -> str:
    """What allowing the refused host means."""
    words = translate(
        "Services", "A client asked for this service as {host} and was refused. Allow restarts the service."
    )
    return words.format(host=row.refused)
