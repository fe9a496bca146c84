"""The report: the measures as a page, as Markdown, and as rows for a terminal."""

from notifications.report.render import html, markdown
from notifications.report.words import summary

__all__ = ["html", "markdown", "summary"]
