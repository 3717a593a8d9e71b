"""Forms made from options: whatever is declared and given, nothing is lost and the checks agree."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PyQt5.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.options import Option, problems
from ui.forms.form import OptionForm

NAMES = st.from_regex(r"[a-z][a-z_]{0,8}[a-z]", fullmatch=True)
LINES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@st.composite
def simple(draw: st.DrawFn, name: str) -> tuple[Option, Any]:
    """An option that is no table, and a value of its type, right or wrong."""
    kind = draw(st.sampled_from([str, int, float, bool, list, "choice", "lines"]))
    if kind == "choice":
        choices = tuple(draw(st.lists(LINES, min_size=1, max_size=4, unique=True)))
        option = Option(name, str, choices[0], "help", choices=choices)
        return option, draw(st.sampled_from(choices) | LINES)
    if kind == "lines":
        return Option(name, str, "", "help", multiline=True), draw(st.lists(LINES | st.just("")).map("\n".join))
    if kind is str:
        return Option(name, str, "", "help"), draw(LINES | st.just(""))
    if kind is int:
        return Option(name, int, 5, "help", minimum=0, maximum=10), draw(st.integers(-20, 20))
    if kind is float:
        return Option(name, float, 0.5, "help", "s", 0, 10), draw(st.floats(-20, 20).map(lambda f: round(f, 3)))
    if kind is bool:
        return Option(name, bool, False, "help"), draw(st.booleans())
    return Option(name, list, [], "help"), draw(st.lists(LINES, max_size=4))


@st.composite
def forms(draw: st.DrawFn) -> tuple[tuple[Option, ...], dict[str, Any]]:
    """Options, and values for some of them; maybe a list of tables among them."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    pairs = [draw(simple(name)) for name in names]
    values = {option.name: value for option, value in pairs if draw(st.booleans())}
    options = [option for option, _ in pairs]
    if draw(st.booleans()):
        inner = [draw(simple(name)) for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))]
        options.append(Option("rules_", list, [], "help", of=tuple(option for option, _ in inner)))
        table = {option.name: value for option, value in inner}
        count = draw(st.integers(0, 3))
        values["rules_"] = [{k: v for k, v in table.items() if draw(st.booleans())} for _ in range(count)]
    return tuple(options), values


@given(forms())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_was_given_comes_back_and_the_checks_agree(
    qtbot: QtBot, made: tuple[tuple[Option, ...], dict[str, Any]]
) -> None:
    options, given_ = made
    form = OptionForm(options, given_)
    try:
        assert form.options() == given_
        wrong = dict(problems(options, given_))
        assert form.check() is (not wrong)
        for option in options:
            said = form._rows[option.name][1].text()
            assert bool(wrong.get(option.name)) is (form._rows[option.name][1].property("role") == "error"), said
    finally:
        form.deleteLater()


FRAMED = (
    Option("framing", str, "none", "help", choices=("none", "delimiter", "fixed")),
    Option("delimiter", str, ";", "help", when=("framing", ("delimiter",))),
    Option("size", int, 16, "help", minimum=1, when=("framing", ("fixed",))),
    Option("also", bool, False, "help", when=("of_another_protocol", (True,))),
)


def shown(form: OptionForm) -> list[str]:
    """The options whose rows can be seen, all of each."""
    names = []
    for name, (editor, words) in form._rows.items():
        label = next(label for label in form.findChildren(QLabel) if label.buddy() is editor)
        parts = {widget.isVisibleTo(form) for widget in (editor, words, label)}
        assert len(parts) == 1, name
        names += [name] * parts.pop()
    return names


def test_what_means_nothing_beside_the_others_is_hidden(qtbot: QtBot) -> None:
    form = OptionForm(FRAMED, {})
    qtbot.addWidget(form)
    form.changed.connect(form.check)
    framing = form._rows["framing"][0]
    assert shown(form) == ["framing", "also"]
    framing.setCurrentIndex(1)
    assert shown(form) == ["framing", "delimiter", "also"]
    framing.setCurrentIndex(2)
    assert shown(form) == ["framing", "size", "also"]


def test_what_is_set_is_never_hidden(qtbot: QtBot) -> None:
    form = OptionForm(FRAMED, {"delimiter": ",", "size": 0})
    qtbot.addWidget(form)
    form.changed.connect(form.check)
    assert shown(form) == ["framing", "delimiter", "size", "also"]
    form._rows["size"][0].setText("16")
    assert shown(form) == ["framing", "delimiter", "also"]
    assert form.options() == {"delimiter": ",", "size": 16}
