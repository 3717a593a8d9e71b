"""Memory of the real window on a capture of ten million events."""

from __future__ import annotations

from tests.benchmarks import captures, display, procs
from tests.benchmarks.context import CACHE, Bench
from tests.benchmarks.marks import Result
from tests.benchmarks.program import Program

COUNT = 10_000_000


def measure(bench: Bench) -> Result:
    count = COUNT // 10 if bench.quick else COUNT
    path = CACHE / f"{count}.lpost"
    captures.make_once(path, count)
    stages: dict[str, tuple[float, float]] = {}
    with bench.folder() as folder, Program(bench.screen, folder, path, start=False) as program:

        def note(stage: str) -> None:
            procs.settle(program.pid, patience=60)
            stages[stage] = procs.memory(program.pid)

        window = display.find_window(bench.screen, program.pid)
        display.focus(bench.screen, window)
        # Into the log, so that the keys are its own.
        display.click(bench.screen, 800, 300)
        note("opened")
        for keys in (["Home"], ["Next"] * 40, ["Down"] * 20, ["End"], ["Prior"] * 40):
            display.press(bench.screen, *keys)
        note("scrolled")
        display.press(bench.screen, "ctrl+Next")
        note("service tab, all match")
        display.press(bench.screen, "Home", *["Next"] * 20, "End")
        note("service tab scrolled")
        writer = procs.memory(program.writer)[0]
    worst = max(now for now, _ in stages.values())
    notes = [f"{stage}: {now:.0f} MB (at the most {most:.0f})" for stage, (now, most) in stages.items()]
    if count != COUNT:
        notes.append(f"{count:,} events only")
    return Result(
        "memory",
        worst,
        sound=program.code == 0,
        notes=[*notes, f"the writer's process: {writer:.0f} MB"],
        details={"stages": stages, "writer": writer, "events": count},
    )
