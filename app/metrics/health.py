"""Whether all is well, in words."""

from __future__ import annotations

from app.metrics.watched import watched
from app.post import Post
from app.status import Failed, Held
from app.text.escapes import one_line


def problems(post: Post) -> list[str]:
    """What is not well, one line each; empty while all is."""
    found = [
        f"{name}: {service.status.reason}"
        for name, service in post.services.items()
        if isinstance(service.status, Failed) or (isinstance(service.status, Held) and service.wanted)
    ]
    trouble = post.recorder.trouble
    if trouble is not None:
        found.append(f"capture: {trouble.text}")
    found += [f"{watch.name}: {watch.words}" for watch in watched(post) if watch.up is False]
    return [one_line(line) for line in found]
