"""The services panel: a search box, the list of services in their groups, and what is wrong with the selected one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PyQt5.QtCore import QPoint, QRect, QSize, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PyQt5.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QVBoxLayout, QWidget

from app.post import Post
from app.programs.hosted import HostedProgram
from app.services.service import Service
from ui.bridge import Bridge
from ui.looks import theme
from ui.looks.icons import icon
from ui.parts.neighbours import still_there
from ui.services.address_edit import AddressEdit
from ui.services.list_model import ServicesModel
from ui.services.list_view import ServicesList
from ui.services.rows import Heading, Row, ServiceRow
from ui.services.trouble_strip import TroubleStrip
from ui.settings import Settings


class ServicesPanel(QWidget):
    """All services, each a row of the same height.

    Attributes:
        list, search, compact_button, trouble: its parts.
        address: the field in which the address of a service is edited in its row; None: it is not there.
        selected: the name of the selected service; empty if a heading is current, or nothing.

    Signals:
        chosen: the name of the selected service, or "".
        toggled, edit_wanted, address_wanted: the service's name; the last to have another address.
        kill_wanted: the name of a program that is to be ended at once.
        try_wanted, stop_wanted: the name of a service that is tried again by itself: now, or not any more.
        host_allowed: the service's name, and the name by which it is to answer from now on.
        menu_wanted: the global position of a context menu for the selected service.
        group_menu_wanted: the group whose heading is current, and the global position of a context menu.
        dropped: the name of the service that was dragged, and the ``Drop`` where it goes.
        step_wanted: the service's name, and -1 or 1: one place up or down in its group.
        compact_changed: whether each service takes one line now.
        moved: the service's name, and the address or port that was typed in its row.
        left(): Escape was pressed in the list, and there was no search to empty.
    """

    chosen = pyqtSignal(str)
    toggled = pyqtSignal(str)
    edit_wanted = pyqtSignal(str)
    address_wanted = pyqtSignal(str)
    try_wanted = pyqtSignal(str)
    kill_wanted = pyqtSignal(str)
    stop_wanted = pyqtSignal(str)
    host_allowed = pyqtSignal(str, str)
    menu_wanted = pyqtSignal(QPoint)
    group_menu_wanted = pyqtSignal(str, QPoint)
    dropped = pyqtSignal(str, object)
    step_wanted = pyqtSignal(str, int)
    compact_changed = pyqtSignal(bool)
    moved = pyqtSignal(str, str)
    left = pyqtSignal()

    def __init__(self, post: Post, bridge: Bridge, settings: Settings) -> None:
        super().__init__()
        self._post, self._settings = post, settings
        self.selected = ""
        self._closed_port = ""
        self.address: AddressEdit | None = None
        self._model = ServicesModel(post, bridge, lambda: settings.folded)
        self.list = ServicesList(self._model)
        self.search = SearchBox()
        self.compact_button = QToolButton()
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._refresh)
        self.trouble = TroubleStrip()
        self._lay_out()
        self._connect(bridge)
        self.set_compact(settings.compact_services)
        self.rebuild()

    def _lay_out(self) -> None:
        self.compact_button.setIcon(icon("rows"))
        self._size_icon()
        theme.notifier.fonts_changed.connect(self._size_icon)
        self.compact_button.setCheckable(True)
        self.compact_button.setToolTip(self.tr("One line for each service (Ctrl+Alt+L)"))
        self.compact_button.setAccessibleName(self.tr("Compact list"))
        top = QHBoxLayout()
        top.setContentsMargins(12, 8, 8, 8)
        top.setSpacing(4)
        top.addWidget(self.search, 1)
        top.addWidget(self.compact_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.list, 1)
        column.addWidget(self.trouble)
        self.setFocusProxy(self.list)

    @pyqtSlot()
    def _size_icon(self) -> None:
        self.compact_button.setIconSize(QSize(theme.scaled(16), theme.scaled(16)))

    def _connect(self, bridge: Bridge) -> None:
        rows, search = self.list, self.search
        rows.row_changed.connect(self._on_row)
        rows.toggled.connect(self.toggled)
        rows.edit_wanted.connect(self.edit_wanted)
        rows.allow_wanted.connect(self._allow)
        rows.fold_wanted.connect(self.fold)
        rows.dropped.connect(self.dropped)
        rows.step_wanted.connect(self.step_wanted)
        rows.menu_wanted.connect(self._on_menu)
        rows.escaped.connect(self._on_escape)
        search.textChanged.connect(self._on_typed)
        search.left.connect(rows.setFocus)
        self.compact_button.toggled.connect(self.set_compact)
        self.trouble.allow_wanted.connect(self._allow)
        self.trouble.edit_wanted.connect(self.address_wanted)
        rows.verticalScrollBar().valueChanged.connect(self._place_address)
        self.trouble.try_wanted.connect(self.try_wanted)
        self.trouble.stop_wanted.connect(self.stop_wanted)
        self.trouble.kill_wanted.connect(self.kill_wanted)
        bridge.services_changed.connect(self.rebuild)
        bridge.status_changed.connect(self._on_status)
        bridge.measured.connect(self._on_measured)
        bridge.faults_changed.connect(self._on_measured)

    # -- following the services

    def rebuild(self) -> None:
        """Show the services as they are after some were added, removed, moved or replaced.

        The selected one stays selected. If it is gone, its neighbour is selected, which stands there now. A port of
        a program gives way to the program, and is selected again when that has opened it again.
        """
        row, before = self.list.current(), self.names()
        self._model.refresh()
        self._reselect(row, before)
        self._place_address()
        self._count_down()

    def _reselect(self, row: Row | None, before: list[str]) -> None:
        number = self._model.heading(row.group) if isinstance(row, Heading) else -1
        if number < 0:
            number = self._model.at(self._stays(before))
        blocked = self.list.blockSignals(True)  # said once, by ``_on_row``
        self.list.go_to(number)
        self.list.blockSignals(blocked)
        self._on_row()

    def _stays(self, before: list[str]) -> str:
        """The name of what is selected from now on."""
        names = self.names()
        program = self._closed_port.partition("/")[0]
        if self._closed_port in names and self.selected == program:
            return self._closed_port
        program = self.selected.partition("/")[0]
        if self.selected not in names and program in self._post.programs.all and program in names:
            self._closed_port = self.selected
            return program
        return still_there(self.selected, before, names)

    def _on_status(self, service: Service | HostedProgram) -> None:
        name = service.config.name
        if service in (self._post.services.get(name), self._post.programs.all.get(name)):
            self._refresh()

    def _on_measured(self) -> None:
        if self.isVisible():
            self._refresh()

    def _refresh(self) -> None:
        row, before = self.list.current(), self.names()
        if self._model.refresh():  # the search is for a state, which has changed
            self._reselect(row, before)
        else:
            self._show_trouble()
        self._count_down()

    def _count_down(self) -> None:
        """Follow the seconds until services are tried again, while there are such services and they can be seen."""
        waits = any(isinstance(row, ServiceRow) and row.waits for row in self._model.rows)
        if not (waits and self.isVisible()):
            self._second.stop()
        elif not self._second.isActive():
            self._second.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._second.stop()

    # -- selecting

    def select(self, name: str) -> None:
        """Select a service; its group is unfolded, and the search is emptied, if they hide it."""
        group = self._group_of(name)
        if group is None:
            return
        if self._model.at(name) < 0:
            self.search.clear()
        if self._model.at(name) < 0:
            self.fold(group)
        self.list.go_to(self._model.at(name))

    def _group_of(self, name: str) -> str | None:
        """The group of a service, a program or a port of one; None: there is none of this name."""
        if name in self._post.programs.all:
            return name
        owner = self._post.owner(name)
        return None if owner is None else owner.config.group

    def show_service(self, name: str) -> None:
        """Select this service, unless it is selected."""
        if name != self.selected:
            self.select(name)

    def _on_row(self) -> None:
        name = self.list.current_name()
        self.selected = name
        if name != self._closed_port.partition("/")[0]:
            self._closed_port = ""
        self._show_trouble()
        self.chosen.emit(name)

    def _show_trouble(self) -> None:
        row = self.list.current()
        self.trouble.show_row(row if isinstance(row, ServiceRow) else None)

    def _allow(self, name: str) -> None:
        service = self._post.services.get(name)
        if service is not None and service.refused_host:
            self.host_allowed.emit(name, service.refused_host)

    def _on_menu(self, at: QPoint) -> None:
        row = self.list.current()
        if isinstance(row, Heading):
            self.group_menu_wanted.emit(row.group, at)
        else:
            self.menu_wanted.emit(at)

    # -- search, groups and the two views

    def start_search(self) -> None:
        """Give the search box the keyboard."""
        self.search.setFocus(Qt.ShortcutFocusReason)
        self.search.selectAll()

    def _on_escape(self) -> None:
        if self.search.text():
            self.search.clear()
        else:
            self.left.emit()

    def _on_typed(self, text: str) -> None:
        self._model.typed = text
        self.rebuild()

    def fold(self, group: str) -> None:
        """Fold a group, or unfold it. Its heading becomes current if the current row is hidden by that."""
        folded = set(self._settings.folded)
        hidden = self.list.current()
        self._settings.folded = sorted(folded ^ {group})
        self._model.refresh()
        if isinstance(hidden, Heading):
            self.list.go_to(self._model.heading(hidden.group))
        elif hidden is not None and self._model.at(hidden.name) >= 0:
            self.list.go_to(self._model.at(hidden.name))
        else:
            self.list.go_to(self._model.heading(group))

    def forget_folded(self, groups: Iterable[str]) -> None:
        """These groups are gone or have another name."""
        self._settings.folded = sorted(set(self._settings.folded) - set(groups))

    @property
    def compact(self) -> bool:
        """Whether each service takes one line."""
        return self.list.delegate.is_compact

    def set_compact(self, compact: bool) -> None:
        """Show each service in one line, or in two."""
        self._settings.compact_services = compact
        self.compact_button.setChecked(compact)
        self.list.set_compact(compact)
        self.compact_changed.emit(compact)

    # -- an address in its row

    def edit_address(self, name: str, problem: Callable[[str, str], str | None]) -> None:
        """Edit the address of a service in its row. ``problem(name, typed)`` says what is wrong with what is typed."""
        service = self._post.services.get(name)
        self.select(name)
        if service is None or self._model.at(name) < 0:
            return
        if self.address is not None:
            self.address.leave()
        edit = self.address = AddressEdit(name, service.config.listen, problem, self.list.viewport())
        edit.given.connect(self.moved)
        edit.closed.connect(self._on_address_closed)
        edit.begin(self._address_rect(name))

    def _address_rect(self, name: str) -> QRect:
        return self.list.delegate.layout_of(self.row_rect(name)).second

    def _place_address(self, *_: object) -> None:
        """The rows have moved, or the one whose address is edited is gone."""
        edit = self.address
        if edit is not None and self._model.at(edit.name) < 0:
            edit.leave()
        elif edit is not None:
            edit.place(self._address_rect(edit.name))

    def _on_address_closed(self, had_keyboard: bool) -> None:
        self.address = None
        if had_keyboard:
            self.list.setFocus(Qt.OtherFocusReason)

    # -- places, for tests and pictures

    def row_rect(self, name: str) -> QRect:
        """The place of a service's row in the list's viewport."""
        return self.list.rect_of(self._model.at(name))

    def row(self, name: str) -> ServiceRow:
        """What is shown of a service. Raises KeyError if it has no row."""
        number = self._model.at(name)
        if number < 0:
            raise KeyError(name)
        row = self._model.rows[number]
        assert isinstance(row, ServiceRow)
        return row

    def names(self) -> list[str]:
        """The names of the services that have a row, from top to bottom."""
        return [row.name for row in self._model.rows if isinstance(row, ServiceRow)]


class SearchBox(QLineEdit):
    """Where a service is looked for. Escape empties it; an arrow key or Enter goes to the list.

    Signals:
        left(): the list is to have the keyboard.
    """

    left = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText(self.tr("Find a service"))
        self.setAccessibleName(self.tr("Find a service"))
        self.setToolTip(
            self.tr(
                "Shows services whose name, port, protocol, group or state matches (Ctrl+Shift+K); Esc shows all again"
            )
        )
        self.setClearButtonEnabled(True)
        self.addAction(icon("search", "dim"), QLineEdit.LeadingPosition)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape:
            self.clear()
            self.left.emit()
        elif event.key() in (Qt.Key_Down, Qt.Key_Return, Qt.Key_Enter):
            self.left.emit()
        else:
            super().keyPressEvent(event)
