"""Whether all is well, in words."""

from __future__ import annotations

from app.post import Post
from app.status import Failed, Held, Waiting
from app.text.escapes import one_line


def problems(post: Post) -> list[str]:
    """What is not well, one line each; empty while all is."""
    found = [
        f"{name}: {service.status.reason}"
        for name, service in post.services.items()
        if isinstance(service.status, Failed | Waiting) or (isinstance(service.status, Held) and service.wanted)
    ]
    trouble = post.recorder.trouble
    if trouble is not None:
        found.append(f"capture: {trouble.text}")
    found += [f"{name}: {watch.words}" for name, watch in post.watches.items() if watch.state == "down"]
    return [one_line(line) for line in found]
