"""The pages of the detail pane, in the order of their tabs. A new one is a file and a line here."""

from __future__ import annotations

from ui.code_page import JSONPage, XMLPage
from ui.detail_page import Page
from ui.hex_page import HexPage
from ui.http_page import HTTPPage
from ui.image_page import ImagePage
from ui.overview_page import OverviewPage
from ui.text_page import TextPage
from ui.tls_page import TLSPage
from ui.traceback_page import TracebackPage
from ui.websocket_page import WebSocketPage

PAGES: tuple[type[Page], ...] = (
    TracebackPage,
    OverviewPage,
    HTTPPage,
    WebSocketPage,
    TLSPage,
    JSONPage,
    XMLPage,
    ImagePage,
    TextPage,
    HexPage,
)
