"""Every exception this product raises on purpose.

The one question that a caller asks is "is it worth trying again?", so that is how the tree
is cut: a `TransientError` may pass, everything else will not.

Subclasses with an ``__init__`` of their own hand every argument to ``super().__init__()``:
that keeps them picklable, which Prefect needs to carry them between processes.
"""

from __future__ import annotations


class VocError(Exception):
    """Base of all our errors. Its text is one sentence: what is wrong, where, what to do."""


class TransientError(VocError):
    """It may work next time: a timeout, a rate limit, a server that is down."""


class ConfigurationError(VocError):
    """A setting or the company file is wrong; nothing was changed."""


class SourceError(VocError):
    """A source could not be read. No customer's words in *reason*."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source = source
        self.reason = reason

    def __str__(self) -> str:
        return f"source {self.source}: {self.reason}"


class SourceUnavailableError(SourceError, TransientError):
    """The source did not answer, or asked us to slow down."""


class SourceFormatError(SourceError):
    """The source answered with something that this connector does not understand."""


class SourceRefusedError(SourceError):
    """The source refuses us: wrong or revoked credentials, or an address that does not exist."""


class NotFoundError(VocError):
    """What was asked for is not there."""


class IllegalTransitionError(VocError):
    """Someone tried to move a ticket, loop or message along an arrow that does not exist."""

    def __init__(self, noun: str, key: int | str, state: str, action: str) -> None:
        super().__init__(noun, key, state, action)
        self.noun = noun
        self.key = key
        self.state = state
        self.action = action

    def __str__(self) -> str:
        return f"{self.noun} {self.key} is {self.state}: {self.action} is not possible now"


class DeliveryError(VocError):
    """A message did not reach its recipient's server, as far as we know."""


class NotSentError(DeliveryError, TransientError):
    """Nothing was handed over: no connection, no login, or the server said "try later".

    Args:
        retry_after_s: How long it asks us to wait, if it said so.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason, retry_after_s)
        self.reason = reason
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return self.reason


class RefusedError(DeliveryError):
    """The server said no, for good."""


class UnconfirmedError(DeliveryError):
    """The line dropped after the message was handed over. It may have arrived."""
