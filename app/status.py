"""What a service is doing, as one frozen value that is pushed whole to its listeners."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stopped:
    """Not listening, and not asked to."""


@dataclass(frozen=True, slots=True)
class Starting:
    """Asked to listen; the address is being bound."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Bound. ``host`` is the address really bound, as ``"127.0.0.1:9007"`` or ``"[::1]:9007"``."""

    host: str


@dataclass(frozen=True, slots=True)
class Stopping:
    """No longer accepting; live connections are being closed."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Could not listen. ``reason`` says why in words, and what to do."""

    reason: str


Status = Stopped | Starting | Listening | Stopping | Failed
