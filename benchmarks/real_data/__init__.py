"""The whole loop over real feedback: see docs/real-data.md."""
