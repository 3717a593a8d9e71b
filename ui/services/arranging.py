"""Order and groups of services by hand: each change is one step that can be undone, and restarts nothing."""

from __future__ import annotations

from dataclasses import replace

from PyQt5.QtCore import QObject
from PyQt5.QtWidgets import QInputDialog, QMenu, QWidget

from app.post import Post
from app.workspace.service_checks import MAX_NAME
from ui.edits import Edits
from ui.parts.labels import unmarked
from ui.services.list_drag import Drop, reordered


class Arranging(QObject):
    """Moves services, and acts on groups."""

    def __init__(self, post: Post, edits: Edits, window: QWidget) -> None:
        """``window`` is the parent of dialogs."""
        super().__init__(window)
        self._post, self._edits, self._window = post, edits, window

    # -- order

    def drop(self, name: str, drop: Drop) -> None:
        """Put a service where it was dropped, which may be in another group."""
        state = self._edits.state
        known = {service.name: service for service in state.services}
        if name not in known:
            return
        order = reordered({service.name: service.group for service in state.services}, name, drop)
        text = self.tr("moving “{name}”").format(name=name)
        if known[name].group == drop.group:
            self._edits.reorder(order, text)
            return
        known[name] = replace(known[name], group=drop.group)
        self._edits.change(text, replace(state, services=tuple(known[other] for other in order)))

    def step(self, name: str, by: int) -> None:
        """Move a service one place up (-1) or down (1) in its group."""
        services = {service.name: service for service in self._edits.state.services}
        if name not in services:
            return
        group = services[name].group
        members = [other for other, service in services.items() if service.group == group]
        at = members.index(name) + by
        if 0 <= at < len(members):
            self.drop(name, Drop(group, members[at], behind=by > 0))

    # -- groups

    def groups(self) -> list[str]:
        """The names of all groups, in the order of the list."""
        return list(dict.fromkeys(config.group for config in self._post.configs() if config.group))

    def start(self, group: str) -> None:
        """Start the services of a group that do not run."""
        self._post.start_all(self._members(group))
        self._post.ask_again()

    def stop(self, group: str) -> None:
        """Stop the services of a group."""
        self._post.stop_all(names=self._members(group))

    def _members(self, group: str) -> set[str]:
        return {config.name for config in self._post.configs() if config.group == group}

    def rename(self, group: str, new: str) -> None:
        """Give a group another name; that of another group joins the two, an empty one dissolves it."""
        state = self._edits.state
        services = tuple(replace(one, group=new) if one.group == group else one for one in state.services)
        text = self.tr("renaming group “{name}”") if new else self.tr("ungrouping “{name}”")
        self._edits.change(text.format(name=group), replace(state, services=services))

    def ask_name(self, group: str) -> None:
        """Ask for another name of a group."""
        self._ask(self.tr("Rename group"), group, lambda new: self.rename(group, new))

    def ask_group(self, name: str) -> None:
        """Ask for the name of a new group for a service."""
        self._ask(self.tr("New group"), "", lambda new: self.drop(name, Drop(new, "", behind=True)))

    def _ask(self, title: str, text: str, done: object) -> None:
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(title)
        dialog.setLabelText(self.tr("Name of the group"))
        dialog.setTextValue(text)

        def accept() -> None:
            words = " ".join(dialog.textValue().split())
            new = "".join(filter(str.isprintable, words))[:MAX_NAME].strip()
            if new and new != text:
                done(new)  # type: ignore[operator]

        dialog.accepted.connect(accept)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # -- menus

    def movable(self, name: str) -> bool:
        """Whether it is a service of the workspace, which can be in a group."""
        return name in self._post.services

    def is_group(self, group: str) -> bool:
        """Whether services of the workspace are in it."""
        return any(config.group == group for config in self._post.configs())

    def menu_of_service(self, menu: QMenu, name: str) -> QMenu:
        """The menu Group for the context menu of a service."""
        service = self._post.services[name]
        inner = QMenu(self.tr("&Group"), menu)
        for group in self.groups():
            action = inner.addAction(unmarked(group))
            action.setCheckable(True)
            action.setChecked(group == service.config.group)
            action.triggered.connect(lambda _=False, group=group: self._put(name, group))
        if not inner.isEmpty():
            inner.addSeparator()
        none = inner.addAction(self.tr("No group"))
        none.setEnabled(bool(service.config.group))
        none.triggered.connect(lambda: self._put(name, ""))
        inner.addAction(self.tr("New group…")).triggered.connect(lambda: self.ask_group(name))
        return inner

    def _put(self, name: str, group: str) -> None:
        if self._post.services[name].config.group != group:
            self.drop(name, Drop(group, "", behind=True))

    def menu_of_group(self, menu: QMenu, group: str) -> None:
        """Fill the context menu of a heading."""
        members = [self._post.services[name] for name in self._members(group)]
        start = menu.addAction(self.tr("&Start group"))
        start.setEnabled(not all(service.running for service in members))
        start.triggered.connect(lambda: self.start(group))
        stop = menu.addAction(self.tr("S&top group"))
        stop.setEnabled(any(service.running for service in members))
        stop.triggered.connect(lambda: self.stop(group))
        menu.addSeparator()
        menu.addAction(self.tr("&Rename group…")).triggered.connect(lambda: self.ask_name(group))
        menu.addAction(self.tr("&Ungroup")).triggered.connect(lambda: self.rename(group, ""))
