"""Mail that comes in: replies, bounces, complaints, wishes for silence, and machines' answers."""
