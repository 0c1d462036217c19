"""The page that needs no server: networks that run in the browser, written as files that any host can serve."""

from .assembling import write_page as write_page
