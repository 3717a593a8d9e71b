"""The registry of editors: each kind of option has one."""

from __future__ import annotations

from typing import get_args

import ui.forms
from ui.forms.registry import _EDITORS, Kind


def test_every_kind_of_option_has_an_editor() -> None:
    assert ui.forms.__doc__, "the package registers the editors when it is imported"
    assert set(_EDITORS) == set(get_args(Kind))
