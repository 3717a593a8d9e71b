"""The dialog that creates a service. It shows problems while the user types."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QIcon
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QFrame,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app import responders
from app.options import Option
from app.responders.rulebook import rules_of, title_of
from app.services import address, errors, settings
from app.services.config import ServiceConfig
from app.services.protocols import PROTOCOLS
from app.workspace import service_checks
from ui.forms.dropdown import Dropdown
from ui.forms.form import Form, OptionForm, Wrapped, column, sentence, set_property, tab_through, tell
from ui.forms.helped_items import HelpedChoice
from ui.looks.declared import in_words
from ui.looks.icons import icon
from ui.parts.careful_dialog import CarefulDialog
from ui.parts.default_button import make_default
from ui.parts.dialog_pages import Page, Pages, padded
from ui.services import checks
from ui.services.section_page import SectionPage

SHOWN = 3
"""Rules that the dialog names."""


class ServiceDialog(CarefulDialog):
    """A form for one service. When the dialog was accepted, ``config()`` is valid.

    Attributes:
        starts: whether the service is to be started, too.
        _suggested: the suggested name and port. They follow the protocol until the user edits them.
        _forms: the form of options by responder and protocol. They are kept, so that nothing is lost
            when the user selects another responder and comes back.
        _scrolls: the tabs of other settings, by section and protocol.
        _pages: what is in them, of those that were looked at: a new service rarely needs them, and they take long.
    """

    def __init__(
        self,
        config: ServiceConfig | None,
        others: Collection[ServiceConfig],
        parent: QWidget | None = None,
        protocol: str = "tcp",
        *,
        host: str = checks.HOSTS[0],
    ) -> None:
        """``config``: the settings that the service begins with; None: what ``protocol`` suggests."""
        super().__init__(parent)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.starts = False
        self._others = list(others)
        self._config = config or self._suggestion(protocol, host)
        self._suggested = (self._config.name, str(self._config.port)) if config is None else ("", "")
        self._forms: dict[tuple[str, str], OptionForm] = {}
        self._pages: dict[tuple[str, str], SectionPage] = {}
        self._scrolls: dict[tuple[str, str], Page] = {}
        self.setWindowTitle(self.title())
        self._build()
        self._lay_out()
        self._fill(self._config)
        self.name.textChanged.connect(self._check)
        self.protocol.currentIndexChanged.connect(self._on_protocol)
        self.host.editTextChanged.connect(self._check)
        self.host.lineEdit().editingFinished.connect(self._split_address)
        self.port.textChanged.connect(self._check)
        self.responder.currentIndexChanged.connect(self._on_responder)
        self._check()
        self.tabs.currentChanged.connect(lambda _: self._show_tab())
        self._fit()
        self.name.selectAll()
        self.name.setFocus()
        self.untouched()

    def typed(self) -> object:
        return self.config(), self.port.text()

    def title(self) -> str:
        """What stands above it."""
        return self.tr("New service")

    def lost(self) -> str:
        return self.tr("Discard the new service?")

    def rules_words(self) -> str:
        """What is said of rules, which this form does not show."""
        return self.tr("You edit the rules on the page of the service, which opens next.")

    def config(self) -> ServiceConfig:
        """The settings in the form. Settings that the form does not show are unchanged."""
        port = self.port.text().strip()
        config = replace(
            self._config,
            name=self.name.text().strip(),
            protocol=self._protocol(),
            host=self._host(),
            port=int(port) if checks.port_problem(port) is None else 0,
            responder=self._responder(),
            autostart=self.autostart.isChecked(),
            options=self._options(),
            tls=self._values("tls"),
            limits=self._values("limits") or {},
            socket=self._values("socket") or {},
            restart=self._values("restart"),
        )
        return replace(config, faults=checks.kept_faults(config))  # of a copy: the protocol may be another

    def _accept_and_start(self) -> None:
        self.starts = True
        self.accept()

    def _options(self) -> dict[str, Any]:
        found = responders.find(self._responder())
        if found is not None and found.missing and found.name == self._config.responder:
            return dict(self._config.options)  # unknown until its plugin is loaded
        rules = rules_of(self._responder(), self._protocol())
        given = self._config.options if self._responder() == self._config.responder else {}
        kept = {rules.name: given[rules.name]} if rules is not None and rules.name in given else {}
        return kept | self.options.options() | (self._values("options") or {})

    def _values(self, section: str) -> dict[str, Any] | None:
        protocol = self._protocol()
        page = self._pages.get((section, protocol))
        return page.values() if page is not None else self._given(section, protocol)

    # -- building the dialog

    def _suggestion(self, protocol: str, host: str) -> ServiceConfig:
        responder = PROTOCOLS[protocol].default
        name = checks.suggested_name(protocol, responder, self._others)
        port, options = checks.suggested_port(protocol, self._others), checks.FIRST_OPTIONS.get(responder, {})
        return ServiceConfig(name, protocol, host, port, responder, options=options)

    def _build(self) -> None:
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.protocol = HelpedChoice()
        for protocol in PROTOCOLS.values():
            self.protocol.add(protocol.title, protocol.name, in_words(protocol.help))
        self.host = Dropdown()
        self.host.setEditable(True)
        self.host.addItems(checks.HOSTS)
        self.host.setInsertPolicy(QComboBox.NoInsert)
        # A completer would turn a typed :: into ::1. (None is allowed; the stubs do not know it.)
        self.host.setCompleter(None)  # type: ignore[arg-type]
        self.host.setProperty("role", "mono")
        self.port = QLineEdit()
        self.port.setProperty("role", "mono")
        self.port.setAccessibleName(self.tr("Port"))
        self.port.setFixedWidth(self.port.fontMetrics().horizontalAdvance("0") * 7 + 24)
        self.responder = HelpedChoice()
        self.autostart = QCheckBox(self.tr("Start &it when the workspace is opened"))
        self.buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        self.ok = self.buttons.button(QDialogButtonBox.Ok)
        self.ok.setText(self.tr("Create and &start"))
        self.ok.setToolTip(self.tr("Add the service and start it (Enter)"))
        self.only = self.buttons.addButton(self.tr("&Create"), QDialogButtonBox.ActionRole)
        self.only.setToolTip(self.tr("Add the service without starting it"))
        self.only.setAutoDefault(False)
        self.only.clicked.connect(self.accept)
        self.ok.setProperty("primary", True)
        for button in self.buttons.buttons():
            button.setIcon(type(button.icon())())
        self.buttons.accepted.connect(self._accept_and_start)
        self.buttons.rejected.connect(self.cancel)

    def _lay_out(self) -> None:
        form = self._form = Form()
        self._name_words = form.add(self.tr("&Name"), self.name)
        self._protocol_words = form.add(self.tr("&Protocol"), self.protocol)
        colon = QLabel(":")
        self._place_words = form.add(self.tr("&Address"), self.host, colon, self.port)
        self._responder_words = form.add(self.tr("&Responder"), self.responder)
        self._form_of_options = QVBoxLayout()
        content = QFrame()
        content.setProperty("surface", "panel")
        content.setLayout(column(form))
        inner = content.layout()
        assert isinstance(inner, QVBoxLayout)
        inner.addLayout(self._form_of_options)
        self.rules = Wrapped()
        self.rules.setProperty("role", "dim")
        inner.addWidget(self.rules)
        inner.addWidget(self.autostart)
        inner.addStretch()
        inner.setContentsMargins(24, 16, 24, 16)
        footer = QFrame()
        footer.setProperty("surface", "window")
        footer.setLayout(column(self.buttons))
        footer.layout().setContentsMargins(24, 12, 24, 12)
        self._scroll = self._paged(Page(content))
        self.tabs = Pages()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName(self.tr("Pages of the service"))
        self.tabs.addTab(self._scroll, self.tr("Service"))
        self.setLayout(column(self.tabs, footer))
        make_default(self.ok)

    def _fill(self, config: ServiceConfig) -> None:
        self.name.setText(config.name)
        self.protocol.setCurrentIndex(self.protocol.findData(config.protocol))
        self.host.setEditText(config.host)
        self.port.setText(str(config.port))
        self._offer_responders(config.responder)
        self.autostart.setChecked(config.autostart)
        self._show_options()
        self._show_pages()

    # -- checking and updating

    def _protocol(self) -> str:
        return str(self.protocol.currentData())

    def _responder(self) -> str:
        return str(self.responder.currentData() or "")

    def _host(self) -> str:
        text = self.host.currentText().strip()
        return text[1:-1] if text.startswith("[") and text.endswith("]") else text

    def _check(self) -> None:
        name = checks.name_problem(self.name.text().strip(), self._others)
        tell(
            self.name,
            self._name_words,
            name and sentence(name),
            self.tr("Shown in the list and in each event of the service"),
        )
        tell(self.protocol, self._protocol_words, None, in_words(PROTOCOLS[self._protocol()].help))
        responder = service_checks.responder_problem(self._responder(), self._protocol())
        found = responders.find(self._responder())
        tell(
            self.responder,
            self._responder_words,
            responder and sentence(responder),
            in_words(found.help) if found else "",
        )
        options = self.options.check()
        place = self._check_place()
        first = not name and not responder and not place and options
        wrong = {self._scrolls[key] for key, page in self._shown_pages().items() if not page.check()}
        wrong |= set() if first else {self._scroll}
        for index in range(self.tabs.count()):
            self.tabs.setTabIcon(index, icon("warning", "bad") if self.tabs.widget(index) in wrong else QIcon())
        self.ok.setEnabled(not wrong)
        self.only.setEnabled(not wrong)

    def _check_place(self) -> str | None:
        host, port = self._host(), self.port.text().strip()
        wrong_host, wrong_port = checks.host_problem(host), checks.port_problem(port)
        taken = None
        if not wrong_host and not wrong_port:
            taken = checks.place_problem(self._protocol(), host, int(port), self._others)
        problem = wrong_host or wrong_port or taken
        otherwise = self.tr("Any free port") if port == "0" else self.tr("Only programs on this machine can reach it")
        tell(self.port, self._place_words, problem and sentence(problem), otherwise)
        set_property(self.host, "invalid", wrong_host is not None)
        set_property(self.port, "invalid", wrong_port is not None or taken is not None)
        self.host.setAccessibleDescription(self._place_words.text())
        if not problem and self.config().exposed:
            self._place_words.say(self.tr("⚠ Others on the network can reach it."), "warning")
        return problem

    def _on_protocol(self) -> None:
        responder = PROTOCOLS[self._protocol()].default
        self.responder.blockSignals(True)
        self._offer_responders(responder)
        self.responder.blockSignals(False)
        self._on_responder()

    def _on_responder(self) -> None:
        name, port = self._suggested
        protocol = self._protocol()
        self._suggested = (
            checks.suggested_name(protocol, self._responder(), self._others),
            str(checks.suggested_port(protocol, self._others)),
        )
        if self.name.text() == name:
            self.name.setText(self._suggested[0])
        if self.port.text() == port:
            self.port.setText(self._suggested[1])
        self._show_options()
        self._show_pages()
        self._check()
        self._fit()

    def _fit(self, *, shrinks: bool = True) -> None:
        """Resize to the height that the visible page needs. Qt by itself stops at two thirds of the screen."""
        self.tabs.currentWidget().updateGeometry()
        self.tabs.updateGeometry()
        self.layout().activate()
        wanted = self.sizeHint().expandedTo(QSize(self.width() if self.isVisible() else 0, 0))
        self.resize(wanted if shrinks else wanted.expandedTo(self.size()))
        screen, frame = self.screen().availableGeometry(), self.frameGeometry()
        if self.isVisible() and frame.bottom() > screen.bottom():  # keep the buttons on the screen
            self.move(frame.left(), max(screen.top(), screen.bottom() - frame.height() + 1))

    def _offer_responders(self, chosen: str) -> None:
        self.responder.clear()
        for responder in responders.serving(self._protocol()):
            self.responder.add(responder.name, responder.name, in_words(responder.help))
        self.responder.setCurrentIndex(self.responder.findData(chosen))

    def _show_options(self) -> None:
        name, protocol = key = self._responder(), self._protocol()
        for form in self._forms.values():
            form.hide()
        if key not in self._forms:
            found = responders.find(name)
            rules = rules_of(name, protocol)
            declared = tuple(option for option in (found.options_for(protocol) if found else ()) if option is not rules)
            given = self._config.options if name == self._config.responder else checks.FIRST_OPTIONS.get(name, {})
            given = {key: value for key, value in given.items() if rules is None or key != rules.name}
            form = self._forms[key] = OptionForm(declared, given)
            form.changed.connect(self._check)
            self._form_of_options.addWidget(form)
        self.options = self._forms[key]
        self.options.show()
        self._show_rules()
        self._form.align(self.options.form)

    def _show_rules(self) -> None:
        """Say which rules the service begins with, and where they are edited."""
        name, protocol = self._responder(), self._protocol()
        option = rules_of(name, protocol)
        self.rules.setVisible(option is not None)
        given = self._options().get(option.name, ()) if option is not None else ()
        titles = [" → ".join(filter(None, title_of(name, protocol, rule))) for rule in given]
        words = self.rules_words()
        self.rules.setText("\n".join([*titles[:SHOWN], *(["…"] if len(titles) > SHOWN else []), words]))

    def _show_pages(self) -> None:
        """A tab for each section that the protocol has."""
        protocol, shown = self._protocol(), self.tabs.currentIndex()
        while self.tabs.count() > 1:
            self.tabs.removeTab(1)
        titles = {
            "options": PROTOCOLS[protocol].title,
            "tls": self.tr("TLS"),
            "limits": self.tr("Limits"),
            "socket": self.tr("Socket"),
            "restart": self.tr("Restart"),
        }
        for section, title in titles.items():
            if (section, protocol) not in self._scrolls and self._declared(section, protocol):
                self._scrolls[section, protocol] = self._paged(padded())
            if (section, protocol) in self._scrolls:
                self.tabs.addTab(self._scrolls[section, protocol], title)
        self.tabs.setCurrentIndex(min(shown, self.tabs.count() - 1))
        self._set_tab_order()

    def _set_tab_order(self) -> None:
        tab_through(self._scroll.widget(), *self._shown_pages().values())  # the buttons follow in the tab order

    def _show_tab(self) -> None:
        """Make what is in the tab in view, if that is not there yet."""
        for key in [key for key, scroll in self._scrolls.items() if scroll is self.tabs.currentWidget()]:
            if key not in self._pages:
                section = key[0]
                can_be_off = section in settings.OPTIONAL
                page = SectionPage(section, self._declared(*key), self._given(*key), can_be_off=can_be_off)
                page.changed.connect(self._check)
                self._pages[key] = page
                self._scrolls[key].widget().layout().addWidget(page)
                page.show()  # at once, so that it is measured with the others
                self._set_tab_order()
                page.check()
                self._begin(self._scrolls[key], page)
        self._fit(shrinks=False)

    def _begin(self, scroll: QWidget, page: SectionPage) -> None:
        """The first field has the keyboard, where Qt gave it to the page, which had no field yet."""
        if not scroll.hasFocus():
            return
        widget = scroll.nextInFocusChain()
        while widget is not scroll:
            if page.isAncestorOf(widget) and widget.isEnabled() and widget.focusPolicy() & Qt.TabFocus:
                widget.setFocus(Qt.TabFocusReason)
                return
            widget = widget.nextInFocusChain()

    def _declared(self, section: str, protocol: str) -> tuple[Option, ...]:
        """The options on a page; none: there is no such page."""
        if section in settings.SECTIONS:
            return settings.declared(section, protocol)
        found = responders.find(self._responder())
        own = {option.name for option in found.options_for(protocol)} if found else set()
        return tuple(option for option in PROTOCOLS[protocol].options if option.name not in own)

    def _given(self, section: str, protocol: str) -> dict[str, Any] | None:
        """The values that a page begins with; None: the section is off."""
        names = {option.name for option in self._declared(section, protocol)}
        given = getattr(self._config, section) if names and protocol == self._config.protocol else None
        if section == "options":
            return {key: value for key, value in (given or {}).items() if key in names}
        return given

    def _paged(self, page: Page) -> Page:
        """Grow the dialog when the page changes: rows appear, and texts take more lines."""
        page.changed.connect(lambda: self._fit(shrinks=False))
        return page

    def _shown_pages(self) -> dict[tuple[str, str], SectionPage]:
        """The pages of this protocol that were made."""
        keys = ((section, self._protocol()) for section in ("options", *settings.SECTIONS))
        return {key: self._pages[key] for key in keys if key in self._pages}

    def _split_address(self) -> None:
        """If the user pasted ``host:port`` as the host, put each part into its own field."""
        try:
            host, port = address.parse(self.host.currentText())
        except errors.InvalidAddressError:
            return
        self.host.setEditText(host)
        self.port.setText(str(port))
