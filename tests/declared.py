"""Checks every event that the program records during the tests against the declaration of its kind."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from app.capture.recorder import Recorder
from app.events import KINDS, Declaration

_record = Recorder.record
_undeclared: list[str] = []


def differences(kind: Declaration, detail: dict[str, Any]) -> list[str]:
    """How ``detail`` differs from what its kind declares, in words; empty where it does not."""
    found = [f"lacks {key}" for key in kind.always if key not in detail]
    if not kind.more:
        found += [f"has {key}, which is not declared" for key in detail if key not in kind.keys]
    for key, type in {**kind.always, **kind.sometimes}.items():
        if key in detail and not _is(detail[key], type):
            found.append(f"has {key} = {detail[key]!r}, which is declared as {getattr(type, '__name__', type)}")
    return [f"{kind.name} {words}" for words in found]


def _is(value: Any, type: Any) -> bool:
    # A bool is an int to Python, and not to whoever reads the JSON.
    return bool in getattr(type, "__args__", (type,)) if isinstance(value, bool) else isinstance(value, type)


def _checked(recorder: Recorder, kind: int, *values: Any, **named: Any) -> None:
    # Events that a test makes up for itself need not be whole.
    if not sys._getframe(1).f_globals["__name__"].startswith("tests."):
        detail = named["detail"] if "detail" in named else values[4] if len(values) > 4 else None
        _undeclared.extend(differences(KINDS[kind], json.loads(detail) if detail else {}))
    _record(recorder, kind, *values, **named)


@pytest.fixture(scope="session", autouse=True)
def checked_recorder() -> Iterator[None]:
    """Every recorder of the tests looks at what it is given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorder, "record", _checked)
        yield


@pytest.fixture(autouse=True)
def declared_events() -> Iterator[None]:
    """Fail the test during which the program records an event that differs from its declaration."""
    _undeclared.clear()
    yield
    if _undeclared:
        pytest.fail("Recorded otherwise than declared:\n" + "\n".join(dict.fromkeys(_undeclared)), pytrace=False)
