"""What a watch asks for: it connects and sends by itself, again and again.

Nobody should do that because a file says so, to this machine's own servers neither: what one of these is sent can do
harm. A watch on a service of its own workspace asks for nothing: it connects to the port that this program has bound,
and to nothing while it has none. Unless that service passes on what it is sent. A service of an outpost is elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.errors import PostError
from app.services.config import ServiceConfig
from app.text.escapes import amount, unescape
from app.trust.asks import Ask, passes_on_to
from app.watch.config import WatchConfig, on_outpost


def asks_of(watches: Sequence[WatchConfig], services: Sequence[ServiceConfig]) -> list[Ask]:
    """What these watches ask for; ``services`` are those of their workspace."""
    return [ask for watch in watches for ask in of_watch(watch, services)]


def of_watch(watch: WatchConfig, services: Sequence[ServiceConfig]) -> Iterator[Ask]:
    """What one watch asks for."""
    url = watch.url
    if url is not None:
        yield _reaching(watch, f"{url.scheme}://{url.address}{url.target}", "")
        return
    if on_outpost(watch.target, {one.name for one in services}):
        yield _reaching(watch, watch.target, " on an outpost")
        return
    service = next((one for one in services if one.name == watch.target), None)
    for hop in passes_on_to(service) if service is not None else ():
        yield _reaching(watch, hop, f' by way of "{watch.target}"')


def _reaching(watch: WatchConfig, place: str, way: str) -> Ask:
    size = _size(watch)
    sends = f" and sends {amount(size)}" if size else ""
    words = f'the watch "{watch.name}" connects to {place}{way}{sends} every {watch.every_seconds:g} s, by itself'
    return Ask("reach", "", f"{place} {watch.name}", words)


def _size(watch: WatchConfig) -> int:
    try:
        return len(unescape(watch.send))
    except PostError:
        return 0
