"""Refusing to work on a database under another secret than its own."""

from __future__ import annotations

from sqlalchemy import Engine

from voc.errors import ConfigurationError
from voc.models import Installation
from voc.rules.tokens import digest
from voc.store.database import transaction
from voc.store.upsert import insert_new


def check_secret(engine: Engine, secret: bytes) -> None:
    """Remember the secret's digest at first use, and compare ever after.

    Opt-outs are filed, and links and contents known, by digests under the secret: with another
    one we would write to people who asked us not to.

    Raises:
        ConfigurationError: It is not the secret of this database.
    """
    ours = digest(secret, "installation", "").hex()
    with transaction(engine) as session:
        insert_new(session, Installation, [{"id": 1, "secret_digest": ours}])
        stored = session.get_one(Installation, 1).secret_digest
    if stored != ours:
        raise ConfigurationError(
            "the secret is not the one that this database was made with: copy secret.key from the "
            "first home folder into this one, or set VOC_SECRET_KEY to it"
        )
