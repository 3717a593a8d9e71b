"""The dialog that says how to connect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtWidgets import QApplication, QLabel, QToolButton
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred, maybeDeferred

from app.services.surroundings import Surroundings
from tests.ui.desk import config, memory_post
from ui.services.connect_dialog import ConnectDialog


@pytest.fixture
def make(qtbot: QtBot, tmp_path: Path) -> Any:
    def make_(in_thread: Any = maybeDeferred, **more: Any) -> ConnectDialog:
        service = memory_post(config("alpha", **more))[0].services["alpha"]
        service.surroundings = Surroundings(data=tmp_path)
        dialog = ConnectDialog(service, in_thread)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make_


def lines(dialog: ConnectDialog) -> list[str]:
    return [label.text() for label in dialog.findChildren(QLabel) if label.property("surface") == "field"]


def test_it_lists_lines_that_can_be_copied(make: Any) -> None:
    dialog = make()
    assert "nc 127.0.0.1 9007" in lines(dialog)
    dialog.findChildren(QToolButton)[0].click()
    assert QApplication.clipboard().text() == "nc 127.0.0.1 9007"


def test_it_says_that_a_service_does_not_listen(make: Any) -> None:
    assert make().words.text() == "It is not listening: start it first."


def test_an_exposed_service_has_lines_for_each_address(make: Any) -> None:
    dialog = make(host="0.0.0.0")
    hosts = [dialog.address.itemData(i) for i in range(dialog.address.count())]
    assert hosts[0] == "127.0.0.1"
    dialog.address.setCurrentIndex(len(hosts) - 1)
    assert any(hosts[-1] in line for line in lines(dialog))


def test_tls_lines_name_the_local_authority(make: Any, tmp_path: Path) -> None:
    dialog = make(protocol="http", responder="inspector", tls={})
    assert f"--cacert {tmp_path}" in lines(dialog)[0]


def test_it_can_be_closed_before_the_addresses_are_known(make: Any) -> None:
    later: Deferred[Any] = Deferred()
    dialog = make(lambda *_: later)
    dialog.reject()
    later.callback((["127.0.0.1"], None))


def test_each_line_is_there_to_its_end(make: Any) -> None:
    dialog = make(tls={})
    shown = [label for label in dialog.findChildren(QLabel) if label.property("surface") == "field"]
    assert any(label.heightForWidth(label.width()) > 3 * label.fontMetrics().height() for label in shown)
    for label in shown:
        assert label.height() >= label.heightForWidth(label.width())
        assert dialog.rect().contains(label.mapTo(dialog, label.rect().bottomRight()))


def test_it_says_where_the_password_is(make: Any) -> None:
    dialog = make(protocol="ssh", responder="manhole", options={"password": "auto"})
    assert "the password that the log tells at each start" in dialog.words.text()
