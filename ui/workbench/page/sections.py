"""The sections of a service's page: forms of its address, responder, protocol, TLS, limits and sockets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app import responders
from app.options import Option
from app.responders.rulebook import rules_of
from app.services import settings
from app.services.config import ServiceConfig
from app.services.protocols import PROTOCOLS
from ui.forms.dropdown import Dropdown
from ui.forms.form import Form, OptionForm, sentence, tab_through, tell
from ui.services.section_page import SectionPage
from ui.workbench.page.address_form import AddressForm
from ui.workbench.page.applying import unknown
from ui.workbench.page.upstreams import UpstreamsView

WIDEST = 860
"""Pixels that a form is wide at most: longer lines are hard to follow."""


class Section(QScrollArea):
    """Headed groups below each other.

    Signals:
        edited(str): an option was edited; carries a key that is the same while one types.
    """

    edited = pyqtSignal(str)

    def __init__(self, parent: QWidget, *groups: tuple[str, QWidget]) -> None:
        super().__init__(parent)
        content = QWidget(self.viewport())
        content.setProperty("surface", "window")
        content.setAttribute(Qt.WA_StyledBackground)
        column = QVBoxLayout(content)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(12)
        for title, body in groups:
            frame = QFrame(content)
            frame.setProperty("group", True)
            frame.setMaximumWidth(WIDEST)
            inside = QVBoxLayout(frame)
            inside.setContentsMargins(16, 12, 16, 14)
            inside.setSpacing(12)
            heading = QLabel(title)
            heading.setProperty("role", "strong")
            heading.setTextFormat(Qt.PlainText)
            inside.addWidget(heading)
            inside.addWidget(body)
            column.addWidget(frame)
        column.addStretch(1)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.NoFocus)
        self.setProperty("surface", "window")
        tab_through(content)


class AnswerForm(QWidget):
    """The responder, and its options but for the rules, which have a section of their own.

    Signals:
        changed(): an option was edited.
        responder_changed(str): another responder is chosen.
    """

    changed = pyqtSignal()
    responder_changed = pyqtSignal(str)

    def __init__(self, config: ServiceConfig, declared: tuple[Option, ...]) -> None:
        super().__init__()
        self._config = config
        self.responder = Dropdown()
        for at, one in enumerate(responders.serving(config.protocol)):
            self.responder.addItem(one.name, one.name)
            self.responder.setItemData(at, one.help, Qt.ToolTipRole)
        at = self.responder.findData(config.responder)
        if at < 0:
            self.responder.addItem(config.responder, config.responder)
            at = self.responder.count() - 1
        self.responder.setCurrentIndex(at)
        form = Form()
        words = form.add(self.tr("Responder"), self.responder)
        found = responders.find(config.responder)
        missing = str(found.missing) if found and found.missing else None
        problem = missing if found else self.tr("There is no such responder. Choose another.")
        tell(self.responder, words, problem and sentence(problem), found.help if found else "")
        given = {name: config.options[name] for name in _names(declared, config.options)}
        self.form = OptionForm(declared, given, self)
        self.form.form.align(form)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(form)
        column.addWidget(self.form)
        self.form.changed.connect(self.changed)
        self.responder.activated.connect(lambda at: self._on_responder(str(self.responder.itemData(at))))

    def _on_responder(self, name: str) -> None:
        if name != self._config.responder:
            self.responder_changed.emit(name)

    def options(self) -> dict[str, Any]:
        if unknown(self._config):
            return dict(self._config.options)
        return self.form.options()


class Sections:
    """All forms of one configuration, but for the rules.

    Attributes:
        titles: of the sections by their key, in their order.
        widgets: likewise.
        upstreams: of a relay; None for anything else.
        rules: the option with the rules of the responder; None where it has none.
        address, answer, pages: the forms.
    """

    def __init__(self, config: ServiceConfig, titles: Mapping[str, str], parent: QWidget) -> None:
        """``titles``: of ``answer``, ``upstreams``, ``address``, ``tls``, ``limits``, ``socket`` and ``restart``."""
        self._config, protocol = config, config.protocol
        found = responders.find(config.responder)
        own = found.options_for(protocol) if found else ()
        self.rules = rules_of(config.responder, protocol)
        rest = tuple(option for option in own if option is not self.rules)
        shared = tuple(o for o in PROTOCOLS[protocol].options if o.name not in {option.name for option in own})
        self._shown = {option.name for option in (*rest, *shared)}
        self.answer, self.address = AnswerForm(config, rest), AddressForm(config)
        self.pages: dict[str, SectionPage] = {}
        self.titles: dict[str, str] = {"answer": titles["answer"]}
        self.upstreams = UpstreamsView() if any(option.name == "upstreams" for option in own) else None
        above = () if self.upstreams is None else ((titles["upstreams"], self.upstreams),)
        self.widgets: dict[str, Section] = {"answer": Section(parent, *above, (titles["answer"], self.answer))}
        for key, declared in (
            ("options", shared), ("tls", settings.declared("tls", protocol)),
            ("limits", settings.declared("limits", protocol)), ("socket", settings.declared("socket", protocol)),
            ("restart", settings.declared("restart", protocol)),
        ):  # fmt: skip
            if not declared:
                continue
            given: Mapping[str, Any] | None = getattr(config, key)
            if key == "options":
                given = {name: config.options[name] for name in _names(declared, config.options)}
            page = self.pages[key] = SectionPage(key, declared, given, can_be_off=key in settings.OPTIONAL)
            title = PROTOCOLS[protocol].title if key == "options" else titles[key]
            groups = ((titles["address"], self.address), (title, page)) if key == "socket" else ((title, page),)
            self.titles[key], self.widgets[key] = title, Section(parent, *groups)

    def config(self) -> ServiceConfig:
        """The configuration in the forms; rules and name are those that it was made with."""
        config = self._config
        options = self.answer.options()
        if not unknown(config):
            options |= (self._values("options") or {}) | self._kept()
        return replace(
            self.address.put_into(config),
            options=options,
            tls=self._values("tls"),
            restart=self._values("restart"),
            limits=self._values("limits") or {},
            socket=self._values("socket") or {},
        )

    def _kept(self) -> dict[str, Any]:
        """Options that no form shows."""
        return {name: value for name, value in self._config.options.items() if name not in self._shown}

    def _values(self, section: str) -> dict[str, Any] | None:
        page = self.pages.get(section)
        return page.values() if page else None

    def check(self, config: ServiceConfig, others: Collection[ServiceConfig]) -> set[str]:
        """Show what is wrong at its field. Returns the sections that are wrong."""
        wrong = {key for key, page in self.pages.items() if not page.check()}
        if not self.answer.form.check():
            wrong.add("answer")
        if self.address.check(config.protocol, others):
            wrong.add("socket")
        return wrong


def _names(declared: tuple[Option, ...], given: Mapping[str, Any]) -> list[str]:
    return [option.name for option in declared if option.name in given]
