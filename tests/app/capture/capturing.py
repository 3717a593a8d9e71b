"""A recorder at work on a file: recorder, link and writer process together."""

import contextlib

from app import events
from app.capture.link import WriterLink
from app.capture.recorder import Recorder
from app.capture.writing.batch import FIELDS
from tests.app.capture.captures import LIMIT
from tests.helpers import until


class Capturing:
    """A recorder at work on a file. Every payload is another number."""

    def __init__(self, path, limit=LIMIT):
        from twisted.internet import reactor

        self.path = path
        self.recorder = Recorder(reactor)
        self.link = WriterLink(reactor, self.recorder, path, limit)
        self.troubles = []
        self.recorded = []
        self.recorder.trouble_changed.connect(self.troubles.append)
        self.recorder.stored_changed.connect(lambda _: self.check())

    async def open(self):
        self.link.start()
        await self.link.opened
        return self

    def batch(self, count=10, size=0):
        for _ in range(count):
            payload = b"%d" % len(self.recorded)
            self.recorded.append(payload + b"." * size)
            self.recorder.record(events.DATA_RECEIVED, payload=self.recorded[-1])
        self.recorder.flush()

    def check(self):
        recorder = self.recorder
        on_way = sum(sent.count for sent in recorder._on_way) + len(recorder._pending) // FIELDS
        assert recorder.seen == recorder.stored + recorder.lost + on_way == len(self.recorded) + recorder.losses.told

    @property
    def pid(self):
        return self.link._process.pid

    async def all_stored(self):
        await until(lambda: self.recorder.idle and self.recorder.trouble is None)
        self.check()

    async def in_trouble(self, words):
        await until(lambda: self.recorder.trouble and words in self.recorder.trouble.text)

    async def close(self):
        await self.link.close()
        assert self.recorder.idle
        self.check()


@contextlib.asynccontextmanager
async def capturing(path, limit=LIMIT):
    one = await Capturing(path, limit).open()
    try:
        yield one
    finally:
        await one.close()
