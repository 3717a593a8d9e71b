"""What is said of a watch. No Qt widgets."""

from __future__ import annotations

from PyQt5.QtCore import QCoreApplication

from app.watch.result import Result, Watch
from ui.forms.form import sentence
from ui.looks import times


def translate(text: str) -> str:
    """A text of the context ``Watch``."""
    return QCoreApplication.translate("Watch", text)


def state_words(watch: Watch) -> str:
    """``up``, ``down``, ``paused``, ``not trusted`` or ``not known``."""
    if watch.held:
        return translate("not trusted")
    if watch.paused:
        return translate("paused")
    return {"up": translate("up"), "down": translate("down")}.get(watch.state, translate("unknown"))


def last_words(watch: Watch) -> str:
    """What the last check found, or why there is none."""
    if watch.held:
        return watch.held
    if watch.earlier and watch.results and not watch.words:
        return translate("not checked yet; {words}").format(words=_earlier(watch.results[-1]))
    if not watch.words:
        return translate("not checked yet")
    if watch.results and watch.results[-1].ok and watch.words == "ok":
        return translate("ok at {time}").format(time=_time(watch.results[-1]))
    return sentence(watch.words)


def took(milliseconds: float | None) -> str:
    """``0.8 ms``, ``120 ms``, ``4.2 s``; empty where nothing was checked."""
    if milliseconds is None:
        return ""
    if milliseconds >= 9_999.5:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.1f} ms" if milliseconds < 99.95 else f"{milliseconds:,.0f} ms"


def uptime_words(watch: Watch) -> str:
    """``99.8 % of 1,204``; empty before the first check."""
    share = watch.uptime
    if share is None:
        return ""
    # Never rounded up to all, nor down to none.
    percent = 100 * share
    shown = f"{min(percent, 99.9) if watch.well < watch.checks else percent:.1f}".removesuffix(".0")
    return translate("{percent} % of {checks}").format(percent=shown, checks=f"{watch.checks:,}")


def result_words(result: Result) -> str:
    """One result, for the pointer on it."""
    words = took(result.milliseconds) if result.ok else sentence(result.reason)
    return f"{_time(result)}  {words}"


def _earlier(result: Result) -> str:
    when = times.moment(result.time)
    words = translate("ok") if result.ok else result.reason
    return translate("{time:%Y-%m-%d %H:%M}: {words}").format(time=when, words=words)


def _time(result: Result) -> str:
    return times.clock(result.time).partition(".")[0]
