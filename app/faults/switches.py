"""Which faults a service has, and which of them act: by its tables, by switches, and by hand on one connection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app import faults
from app.faults.hits import LiveFault, live_fault
from app.faults.lane import mark
from app.faults.strikes import Strikes
from app.faults.tables import identities, named
from app.faults.when import Candidate
from app.options import Options


class Switches(Strikes):
    """Takes tables, and switches what they are."""

    def configure(self, tables: Sequence[Options]) -> None:
        """Take the tables ``[[service.fault]]``, which are valid. A fault that is the same keeps its counts."""
        by_hand = [fault for fault in self.all if fault.only]
        all_made = [
            live_fault(name, table, self.seed, identity)
            for (name, table), identity in zip(named(tables), identities(tables), strict=True)
        ]
        there = [made for made in all_made if made is not None]  # others are of a plugin that is not there
        before = _known(there, self.all)
        found = []
        for made in there:
            fault = before.get(made)
            if fault is not None and (fault.table, fault.kind) == (made.table, made.kind):
                fault.name = made.name
                found.append(fault)
                continue
            if fault is not None:
                made.hits, made.once = fault.hits, fault.once
                self._take_switch(made, fault)
            found.append(made)
        gone = [fault for fault in self.all if not fault.only and fault not in found]
        self.all = found + by_hand
        for fault in gone:
            self._lift(fault)
        self._changed()

    def take_switches(self, others: Switches) -> None:
        """Have those act that act among ``others``, in the place of which these are now, and not those that do not."""
        for made, fault in _known(self.all, others.all).items():
            self._take_switch(made, fault)
        self._changed()

    def _take_switch(self, made: LiveFault, before: LiveFault) -> None:
        if before.table.get("enabled", True) == made.table.get("enabled", True):
            made.enabled = before.enabled
        if made.enabled and before.lifting is not None:
            left = before.lifting.getTime() - self.clock.seconds()
            made.lifting = self.clock.callLater(max(0.0, left), self._on_ttl, made)

    def begin(self, seed: int) -> None:
        """The service starts: count from the beginning."""
        self.seed, self.started, self._ordinal = seed, self.clock.seconds(), 0
        for fault in self.all:
            fault.seed = fault.when.values["seed"] or seed
            fault.when.again()
            fault.kept.clear()

    def end(self) -> None:
        """The service has stopped. What was to lift itself later is off then, when it starts again."""
        for fault in self.all:
            fault.enabled = fault.enabled and fault.lifting is None
            self._disarm(fault)
        self.all = [fault for fault in self.all if not fault.only]
        self._acting.clear()

    # -- switches

    def find(self, name: str) -> LiveFault | None:
        return next((fault for fault in self.all if fault.name == name), None)

    def switch(self, fault: LiveFault, *, on: bool) -> None:
        """Have ``fault`` act or not. What it holds passes when it acts no longer."""
        if fault.enabled == on:
            return
        fault.enabled = on
        self._disarm(fault)
        if on:
            fault.when.again()
            if seconds := fault.when.values["ttl_seconds"]:
                fault.lifting = self.clock.callLater(seconds, self._on_ttl, fault)
        else:
            self._lift(fault)
        self._changed()

    def _on_ttl(self, fault: LiveFault) -> None:
        fault.lifting = None
        self.switch(fault, on=False)

    def once_now(self, fault: LiveFault) -> None:
        """Have ``fault`` hit the next candidate, whatever its conditions and its switch say."""
        fault.once += 1
        self._changed()

    def strike_connection(self, number: int, table: Options) -> LiveFault | None:
        """Have a fault act on the open connection ``number`` alone, from now on. None if there is none.

        What needs no message acts at once.
        """
        course = self._courses.get(number)
        if course is None:
            return None
        kind = faults.find(table["kind"])
        fault = live_fault(f"{table['kind']} by hand", table, self.seed)
        if kind is None or fault is None:
            return None
        fault.only = number
        self.all.append(fault)
        if kind.at_once:
            target = course.messages if course.messages and fault.level == faults.MESSAGES else course.target
            lane = target.incoming if fault.on == faults.RECEIVED else target.outgoing
            piece = mark()
            self._hit(fault, course, Candidate(fault.on, peer=course.peer), piece, lane, target)
            fault.enabled = False
            lane.put(piece)
        self._changed()
        return fault

    def lift_connection(self, number: int) -> bool:
        """Take away what was set on the connection ``number`` by hand; what it held passes. Whether there was any."""
        gone = [fault for fault in self.all if fault.only == number]
        self.all = [fault for fault in self.all if fault not in gone]
        for fault in gone:
            self._lift(fault)
        if gone:
            self._changed()
        return bool(gone)

    def _disarm(self, fault: LiveFault) -> None:
        lifting, fault.lifting = fault.lifting, None
        if lifting is not None:
            lifting.cancel()

    def _lift(self, fault: LiveFault) -> None:
        """Have pass what ``fault`` holds, which acts no longer: neither on what is written meanwhile."""
        self._acting.clear()
        self._disarm(fault)
        for course in list(self._courses.values()):
            course.meters = {key: meter for key, meter in course.meters.items() if key[0] is not fault}
            course.last.pop(fault, None)
            # Now: else an open connection would keep a total of every fault that was ever edited.
            self._tell_total(course, fault)
            for target in course.targets:
                for lane in (target.incoming, target.outgoing):
                    lane.lift(fault)
                target.thaw(fault)


def _known(made: Iterable[LiveFault], before: Iterable[LiveFault]) -> dict[LiveFault, LiveFault]:
    """Which fault each of ``made`` was before: the same one, else that of its name, which was edited."""
    left = {fault.identity: fault for fault in before if not fault.only}
    known = {fault: left.pop(fault.identity) for fault in made if fault.identity in left}
    by_name = {fault.name: fault for fault in left.values()}
    return known | {fault: by_name.pop(fault.name) for fault in made if fault not in known and fault.name in by_name}
