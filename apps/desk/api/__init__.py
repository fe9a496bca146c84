"""What other programs can ask and do: the JSON API under ``/api/v1``."""
