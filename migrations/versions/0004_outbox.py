"""What leaves by other ways, what comes back, and who let it."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from voc.columns import UtcDateTime

revision = "0004"
down_revision = "0003"

INBOUND_KINDS = (
    "replied",
    "auto_replied",
    "delivered",
    "soft_bounced",
    "hard_bounced",
    "complained",
    "opted_out",
    "opted_in",
    "asked_for_help",
    "failed",
    "unreadable",
)


def upgrade() -> None:
    _add_columns()
    op.create_table(
        "breaker",
        sa.Column("provider", AutoString(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", UtcDateTime(), nullable=True),
        sa.Column("reason", AutoString(length=255), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_breaker")),
    )
    op.create_table(
        "exposure",
        sa.Column("experiment", AutoString(length=64), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("variant", AutoString(length=64), nullable=False),
        sa.Column("loop_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_exposure_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["loop_id"], ["loop.id"], name=op.f("fk_exposure_loop_id")),
        sa.PrimaryKeyConstraint("experiment", "customer_id", name=op.f("pk_exposure")),
    )
    op.create_index(op.f("ix_exposure_loop_id"), "exposure", ["loop_id"])
    _create_inbound_events()


def _add_columns() -> None:
    """In place: SQLite would otherwise copy tables that others point to."""
    for table, column in (("message", "merged_into_id"), ("ticketevent", "message_id")):
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} INTEGER "
            f"CONSTRAINT fk_{table}_{column} REFERENCES message (id)"
        )
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    for column in (
        sa.Column("envelope_sender", AutoString(length=320), nullable=True),
        sa.Column("frozen_at", UtcDateTime(), nullable=True),
        sa.Column("sending_at", UtcDateTime(), nullable=True),
        sa.Column("route", AutoString(length=64), nullable=True),
        sa.Column("provider_id", AutoString(length=255), nullable=True),
        sa.Column("words_hash", AutoString(length=64), nullable=True),
        sa.Column("variant", AutoString(length=128), nullable=True),
        sa.Column("needs_approval", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("approved_by", AutoString(length=255), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("approved_hash", AutoString(length=64), nullable=True),
        sa.Column("refusal", AutoString(length=500), nullable=True),
    ):
        op.add_column("message", column)
    op.create_index("ix_message_words_hash", "message", ["words_hash"])
    op.create_index(
        "ix_message_subject_step_recipient",
        "message",
        ["subject", "step", "recipient"],
        unique=True,
    )
    op.add_column(
        "answer",
        sa.Column(
            "way",
            sa.Enum("page", "mail", "sms", name="answerway", native_enum=False, length=32),
            nullable=False,
            server_default="page",
        ),
    )
    op.add_column("answer", sa.Column("judged_by", AutoString(length=255), nullable=True))
    op.add_column(
        "chainhead", sa.Column("frontier", sa.JSON(), nullable=False, server_default="[]")
    )
    op.add_column("installation", sa.Column("restored_at", UtcDateTime(), nullable=True))


def _create_inbound_events() -> None:
    op.create_table(
        "inboundevent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", AutoString(length=32), nullable=False),
        sa.Column("event_id", AutoString(length=255), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*INBOUND_KINDS, name="inboundkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("provider_id", AutoString(length=255), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("address_hash", AutoString(length=64), nullable=True),
        sa.Column("code", AutoString(length=64), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", AutoString(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_inboundevent_customer_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_inboundevent_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inboundevent")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_inboundevent_provider_event_id")),
    )
    op.create_index("ix_inboundevent_applied_at_id", "inboundevent", ["applied_at", "id"])
    op.create_index("ix_inboundevent_address_hash_kind", "inboundevent", ["address_hash", "kind"])
    op.create_index(op.f("ix_inboundevent_message_id"), "inboundevent", ["message_id"])


def downgrade() -> None:
    op.drop_table("inboundevent")
    op.drop_table("exposure")
    op.drop_table("breaker")
    for table, columns in {
        "installation": ["restored_at"],
        "chainhead": ["frontier"],
        "answer": ["judged_by", "way"],
        "ticketevent": ["message_id"],
        "message": [
            "approved_hash",
            "approved_at",
            "approved_by",
            "needs_approval",
            "variant",
            "words_hash",
            "provider_id",
            "route",
            "sending_at",
            "frozen_at",
            "envelope_sender",
            "merged_into_id",
        ],
    }.items():
        with op.batch_alter_table(table) as batch:
            if table == "ticketevent":
                batch.drop_index("ix_ticketevent_message_id")
            if table == "message":
                batch.drop_index("ix_message_subject_step_recipient")
                batch.drop_index("ix_message_words_hash")
                batch.drop_index("ix_message_merged_into_id")
            for column in columns:
                batch.drop_column(column)
