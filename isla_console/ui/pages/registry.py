"""Every page that is a widget, by page id."""

from isla_console.ui.pages.base import PageWidget

WIDGET_PAGES: dict[str, type[PageWidget]] = {}
