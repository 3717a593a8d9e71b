"""What the actions on the page of a service do. Each method has the name of its action."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QCoreApplication

from app.events import Event
from ui.workbench.answering import AnswerByRule
from ui.workbench.pages import Workbench


class WorkbenchCommands:
    """Opens and closes pages, and adds rules."""

    def __init__(
        self,
        workbench: Workbench,
        answering: AnswerByRule,
        selected: Callable[[], str],
        event: Callable[[], Event | None],
        say: Callable[[str], object],
        edit: Callable[[str], object],
    ) -> None:
        """``selected()`` is the name of the selected service, ``event()`` the current event.

        ``edit(name)`` shows the page of a service, or the dialog of a program.

        ``say(words)`` tells for a while what was done.
        """
        self._workbench, self._answering, self._selected, self._event = workbench, answering, selected, event
        self._say, self._edit = say, edit

    def edit_service(self) -> None:
        self._edit(self._selected())

    def edit_service_of_event(self) -> None:
        event = self._event()
        if event is not None:
            self._workbench.open(event.service)

    def reset_counts(self) -> None:
        name = self._selected()
        self._workbench.reset_counts(name)
        words = QCoreApplication.translate("WorkbenchCommands", "The hit counts of “{name}” are 0 again")
        self._say(words.format(name=name))

    def try_on_rules(self) -> None:
        event = self._event()
        page = self._workbench.open(event.service) if event is not None else None
        if event is not None and page is not None:
            page.try_event(event)

    def answer_by_rule(self) -> None:
        event = self._event()
        if event is not None:
            self._answering.answer(event)

    def close_page(self) -> None:
        self._workbench.close_current()
