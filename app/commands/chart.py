"""``listening-post chart``: what happened in a capture over time, as CSV."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.commands import arguments, errors
from app.commands.exit_codes import DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("capture", type=Path)
    parser.add_argument("--series", metavar="NAMES", help="with commas between them; all, if left out")
    parser.add_argument(
        "--own", action="append", default=[], metavar="SERIES",
        help='a series of your own: "http.status >= 500" counts events, "bytes: FILTER" adds their bytes,'
        ' "http.seconds: FILTER" is the average of that field; up to six',
    )  # fmt: skip
    parser.add_argument(
        "--step", type=arguments.count, default=0, metavar="S", help="seconds that a point of the chart stands for"
    )
    parser.add_argument(
        "--service", default="", metavar="NAME", help="only the figures of this service; by default of all"
    )


def run(args: argparse.Namespace) -> int:
    from app.capture.reading.chart_lines import FOREVER, LINES, as_csv
    from app.capture.reading.charts import MOST_POINTS, Charts, Span, fitting
    from app.capture.reading.own_series import MOST_SERIES, OwnSeries, wish
    from app.capture.reading.store import Store

    names = [name.strip() for name in args.series.split(",")] if args.series is not None else list(LINES)
    names = [name for name in names if name]
    if unknown := next((name for name in names if name not in LINES), ""):
        raise errors.UnknownSeriesError(name=unknown, known=", ".join(LINES))
    own = [OwnSeries(wish(text)) for text in args.own]
    if len(own) > MOST_SERIES:
        raise errors.TooManySeriesError(most=MOST_SERIES)
    store, charts = Store(args.capture), Charts()
    while charts.step(store) < 1:
        pass
    extent = charts.extent(store)
    if extent.first > extent.last:
        print(as_csv([], [(name, []) for name in [*names, *args.own]]), end="")
        return DONE
    span = fitting(extent.first, extent.last, 1000)
    if args.step:
        if (extent.last - extent.first) / args.step > MOST_POINTS:
            raise errors.TooManyPointsError(step=args.step, most=MOST_POINTS)
        span = Span(extent.first, extent.last, args.step)
    chart = charts.read(store, span, args.service)
    columns = [(name, LINES[name].values(chart, FOREVER)) for name in names]
    for one in own:
        while one.step(store) < 1:
            pass
        columns.append((str(one.wish), one.values(chart.span, FOREVER)))
    print(as_csv(chart.span.slots, columns), end="")
    return DONE
