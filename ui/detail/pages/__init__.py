"""The pages of the detail pane, in the order of their tabs. A new one is a file and a line here."""

from __future__ import annotations

from ui.detail.page import Page
from ui.detail.pages.code import JSONPage, XMLPage
from ui.detail.pages.exchange import ExchangePage
from ui.detail.pages.fault import FaultPage
from ui.detail.pages.hex import HexPage
from ui.detail.pages.image import ImagePage
from ui.detail.pages.overview import OverviewPage
from ui.detail.pages.text import TextPage
from ui.detail.pages.tls import TLSPage
from ui.detail.pages.traceback import TracebackPage
from ui.detail.pages.websocket import WebSocketPage

PAGES: tuple[type[Page], ...] = (
    TracebackPage,
    FaultPage,
    OverviewPage,
    ExchangePage,
    WebSocketPage,
    TLSPage,
    JSONPage,
    XMLPage,
    ImagePage,
    TextPage,
    HexPage,
)
