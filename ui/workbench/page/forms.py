"""All forms of a service's page: one section is shown at a time, and a bar of tabs chooses it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QStackedWidget, QTabBar, QWidget

from app import faults
from app.capture.reading.reader import Reader
from app.options import Mistake
from app.responders.rulebook import hints_of, messages_in
from app.services.config import ServiceConfig
from app.services.service import Service
from app.text.variables import Variables
from ui.workbench.faults.section import FaultsSection
from ui.workbench.page.applying import fault_mistakes, mistakes_of
from ui.workbench.page.sections import Sections
from ui.workbench.rules.section import RulesSection


class PageForms(QStackedWidget):
    """The sections, made of a configuration.

    Attributes:
        rules: the section of the rules; None where the responder has none.
        faults: that of the faults; None where the protocol has none.
        sections: the others.
        wrong: the keys of the sections that had a mistake at the last ``check``.

    Signals:
        edited(str, str): something was edited: words for it, and a key that is the same while one types.
        responder_changed(str): another responder was chosen.
        refused(str): what could not be done with the rules or faults, and why.
        hits_wanted(str): the events of the fault of that name are to be shown.
        recount(list or None): the user wants the rules with these indexes, or all, to be counted anew.
    """

    edited = pyqtSignal(str, str)
    responder_changed = pyqtSignal(str)
    refused = pyqtSignal(str)
    hits_wanted = pyqtSignal(str)
    recount = pyqtSignal(object)

    def __init__(
        self, tabs: QTabBar, reader: Reader, service: Callable[[], Service | None], variables: Callable[[], Variables]
    ) -> None:
        """``service()`` is the service as it runs, ``variables()`` are those of the workspace."""
        super().__init__()
        self._tabs, self._reader, self._service, self._variables = tabs, reader, service, variables
        self._kind = ("", "")
        self._keys: list[str] = []
        self.rules: RulesSection | None = None
        self.faults: FaultsSection | None = None
        self.wrong: set[str] = set()
        tabs.currentChanged.connect(self.setCurrentIndex)

    # -- building

    def build(self, config: ServiceConfig) -> None:
        """Make all forms for ``config``. The sections of rules and faults stay where they are of the same kind."""
        before, at = {self.rules, self.faults}, self._tabs.currentIndex()
        same = (config.protocol, config.responder) == self._kind
        begins, self._kind = not self._keys, (config.protocol, config.responder)
        titles = {"answer": self.tr("Answer"), "address": self.tr("Address"), "tls": self.tr("TLS"),
                  "limits": self.tr("Limits"), "socket": self.tr("Socket"), "restart": self.tr("Restart"),
                  "upstreams": self.tr("Upstreams")}  # fmt: skip
        self.sections = Sections(config, titles, self)
        shown: list[tuple[str, str, QWidget]] = []
        if self.sections.rules is None:
            self.rules = None
        elif not same:
            self.rules = RulesSection(
                config.responder, config.protocol, self.sections.rules, self._reader, self._variables
            )
            self.rules.edited.connect(self.edited)
            self.rules.refused.connect(self.refused)
            self.rules.recount.connect(self.recount)
        if self.rules is not None and self.sections.rules is not None:
            self.rules.set_rules(config.options.get(self.sections.rules.name, ()))
            captured = self.rules.bar.captured
            captured.service = config.name
            captured.messages = partial(messages_in, config.responder, config.protocol, config.options)
            shown.append(("rules", self.tr("Rules"), self.rules))
        for key, widget in self.sections.widgets.items():
            shown.append((key, self.sections.titles[key], widget))
            if key == "answer" and (section := self._faults(config)) is not None:
                shown.append(("faults", self.tr("Faults"), section))
        kept = {widget for _, _, widget in shown} & before
        self._put(shown, at if same and not begins else 0, kept)
        self._follow(config.name)

    def _faults(self, config: ServiceConfig) -> FaultsSection | None:
        """The section of the faults, with those of ``config``."""
        if self.faults is None and faults.fitting(config.protocol):  # its protocol stays what it is
            self.faults = FaultsSection(config.protocol, self._service)
            self.faults.edited.connect(self.edited)
            self.faults.refused.connect(self.refused)
            self.faults.hits_wanted.connect(self.hits_wanted)
        if self.faults is not None:
            self.faults.set_faults(config.faults, config.seed)
        return self.faults

    def _put(self, shown: list[tuple[str, str, QWidget]], at: int, kept: Collection[QWidget]) -> None:
        self._keys = [key for key, _, _ in shown]
        self._tabs.blockSignals(True)
        while self._tabs.count():
            self._tabs.removeTab(0)
        for index in reversed(range(self.count())):
            old = self.widget(index)
            if old not in kept:  # which would lose the keyboard
                self.removeWidget(old)
                old.deleteLater()
        for at_end, (_, title, widget) in enumerate(shown):
            self._tabs.addTab(title.replace("&", "&&"))
            if widget not in kept:
                self.insertWidget(at_end, widget)
        self._tabs.setCurrentIndex(max(0, min(at, len(shown) - 1)))
        self.setCurrentIndex(self._tabs.currentIndex())
        self._tabs.blockSignals(False)

    def _follow(self, name: str) -> None:
        words = self.tr("editing “{name}”").format(name=name)
        for key, page in self.sections.pages.items():
            page.changed.connect(partial(self.edited.emit, words, key))
        self.sections.answer.changed.connect(partial(self.edited.emit, words, "answer"))
        self.sections.address.changed.connect(partial(self.edited.emit, words, "address"))
        self.sections.answer.responder_changed.connect(self.responder_changed)

    def order(self) -> tuple[QWidget, ...]:
        """The parts that Tab goes through, in their order."""
        of_rules = self.rules.order() if self.rules is not None else ()
        of_faults = self.faults.order() if self.faults is not None else ()
        return (*of_rules, *of_faults, *(section.widget() for section in self.sections.widgets.values()))

    # -- what they say

    def config(self, name: str) -> ServiceConfig:
        """The configuration that the forms have, with this name; it may be wrong."""
        config = replace(self.sections.config(), name=name)
        if self.faults is not None:
            config = replace(config, faults=self.faults.tables(), seed=self.faults.seed.value())
        option = self.sections.rules
        if self.rules is None or option is None:
            return config
        rules = self.rules.rules.tables()
        options = {key: value for key, value in config.options.items() if key != option.name}
        if rules or option.name in config.options:
            options[option.name] = rules
        return replace(config, options=options)

    def check(self, config: ServiceConfig, others: Collection[ServiceConfig]) -> int:
        """Show what is wrong, at its field. Returns how many mistakes there are."""
        self.wrong = self.sections.check(config, others)
        found = mistakes_of(config)
        rules = self.sections.rules.name if self.sections.rules is not None else ""
        of_rules = [mistake for mistake in found.get("options", ()) if mistake.option == rules]
        if self.rules is not None:
            hints = () if of_rules else self._hints(config)
            self.rules.show_mistakes(of_rules, hints)
            if of_rules:
                self.wrong.add("rules")
        of_faults = self.faults.show_mistakes(fault_mistakes(config)) if self.faults is not None else 0
        if of_faults:
            self.wrong.add("faults")
        address = "socket" in self.wrong and not found.get("socket")
        return sum(map(len, found.values())) + of_faults + address

    def _hints(self, config: ServiceConfig) -> tuple[Mistake, ...]:
        return hints_of(config.responder, config.protocol, config.options, self._variables())

    def is_wrong(self) -> list[bool]:
        """For each tab, whether its section has a mistake."""
        return [key in self.wrong for key in self._keys]

    # -- what is in view

    def show_section(self, key: str) -> None:
        """Show a section: ``rules``, ``answer``, ``faults``, ``options`` or one of ``settings.SECTIONS``."""
        if key in self._keys:
            self._tabs.setCurrentIndex(self._keys.index(key))

    def show_mistake(self, config: ServiceConfig) -> bool:
        """Go to the first mistake; False where no section has one."""
        for mistake in mistakes_of(config).get("options", ()):
            if self.rules is not None and mistake.table is not None:
                self.show_section("rules")
                self.rules.choose(mistake.table, mistake.key)
                return True
        for index, key, _ in fault_mistakes(config):
            if self.faults is not None and "answer" not in self.wrong:
                self.show_section("faults")
                self.faults.choose(index, key)
                return True
        if self.wrong:
            self.show_section(next(key for key in self._keys if key in self.wrong))
        return bool(self.wrong)
