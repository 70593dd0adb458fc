"""The pages that are widgets, by page id. A class is imported when its page is first opened."""

from __future__ import annotations

from importlib import import_module

from isla_console.ui.pages.base import PageWidget

WIDGET_PAGES: dict[str, str] = {
    "communication": "isla_console.ui.pages.communication:CommunicationPage",
    "postmortem": "isla_console.ui.pages.postmortem:PostmortemPage",
    "sql": "isla_console.ui.pages.sql:SqlPage",
    "sessions": "isla_console.ui.pages.sessions:SessionsPage",
    "streams": "isla_console.ui.pages.streams:StreamsPage",
}


def page_class(page: str) -> type[PageWidget]:
    """Return the widget class of a page of `WIDGET_PAGES`."""
    module, _, name = WIDGET_PAGES[page].partition(":")
    found: type[PageWidget] = getattr(import_module(module), name)
    return found
