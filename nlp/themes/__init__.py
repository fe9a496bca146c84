"""Themes: what many statements are about, found without anybody having described it.

Only `nlp.themes.labels` loads scikit-learn; nothing here loads a model or BERTopic.
"""

from nlp.themes.assignment import NONE, Assigned, Theme, assign
from nlp.themes.discovery import (
    DISCOVER_FROM,
    MIN_SIZE,
    PENDING,
    SAMPLE,
    Discovery,
    Found,
    bootstrap,
    discover,
)
from nlp.themes.labels import label_words
from nlp.themes.lineage import Group, Rebuild, rebuild

__all__ = [
    "DISCOVER_FROM",
    "MIN_SIZE",
    "NONE",
    "PENDING",
    "SAMPLE",
    "Assigned",
    "Discovery",
    "Found",
    "Group",
    "Rebuild",
    "Theme",
    "assign",
    "bootstrap",
    "discover",
    "label_words",
    "rebuild",
]
