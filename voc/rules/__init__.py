"""Decisions. Pure: the caller brings the facts and the time."""
