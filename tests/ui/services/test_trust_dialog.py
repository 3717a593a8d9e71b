"""The dialog that says how to trust our certificates."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication, QLabel, QScrollArea, QToolButton
from pytestqt.qtbot import QtBot

from app.services.tls import authority
from tests.ui.desk import settle
from ui.looks import theme
from ui.looks.theme import Fonts
from ui.services.trust_dialog import TrustDialog


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> TrustDialog:
    made = TrustDialog(authority.of(tmp_path))
    qtbot.addWidget(made)
    made.show()
    return made


def test_it_shows_the_certificates_place_and_fingerprint_and_a_line_for_each_system(
    dialog: TrustDialog, tmp_path: Path
) -> None:
    found = authority.of(tmp_path)
    shown = "\n".join(label.text() for label in dialog.findChildren(QLabel))
    assert str(found.path) in shown
    assert shown.replace("\n", ":").count(found.fingerprint) == 1
    for title, line in authority.how_to_trust(found.path):
        assert title in shown
        assert line in shown


def test_with_large_letters_on_a_small_screen_it_scrolls_downwards_only(
    dark: None, dialog: TrustDialog, qapp: QApplication
) -> None:
    theme.apply(qapp, theme.DARK, Fonts(20, "", 20))
    dialog.resize(792, 560)
    settle()
    [scroll] = dialog.findChildren(QScrollArea)
    assert scroll.verticalScrollBar().maximum() > 0
    assert scroll.horizontalScrollBar().maximum() == 0


def test_a_line_is_copied(dialog: TrustDialog, tmp_path: Path) -> None:
    dialog.findChildren(QToolButton)[0].click()
    assert QApplication.clipboard().text() == authority.how_to_trust(authority.of(tmp_path).path)[0][1]


def test_the_certificate_is_exported_without_its_key(dialog: TrustDialog, tmp_path: Path) -> None:
    dialog.export(tmp_path / "ca.pem")
    assert "PRIVATE" not in (tmp_path / "ca.pem").read_text()
    assert dialog.export_result.text() == f"Written to {tmp_path / 'ca.pem'}."


def test_an_export_that_cannot_be_is_said_in_words(dialog: TrustDialog, tmp_path: Path) -> None:
    dialog.export(tmp_path / "none" / "ca.pem")
    assert "ca.pem" in dialog.export_result.text()
    assert dialog.export_result.isVisible()
