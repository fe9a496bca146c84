"""first tables."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from voc.columns import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "chainhead",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("hash", AutoString(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chainhead")),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", AutoString(length=255), nullable=True),
        sa.Column("language", AutoString(length=16), nullable=True),
        sa.Column("timezone", AutoString(length=64), nullable=True),
        sa.Column("country", AutoString(length=2), nullable=True),
        sa.Column("segment", AutoString(length=64), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
    )
    op.create_table(
        "embedding",
        sa.Column("text_hash", AutoString(length=64), nullable=False),
        sa.Column("model", AutoString(length=128), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("text_hash", "model", name=op.f("pk_embedding")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret_digest", AutoString(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", AutoString(length=64), nullable=False),
        sa.Column("place", AutoString(length=255), nullable=False),
        sa.Column("reason", AutoString(length=255), nullable=False),
        sa.Column("raw_hash", AutoString(length=64), nullable=False),
        sa.Column("raw_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "replayed", name="quarantinestate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("source", "raw_hash", name=op.f("uq_quarantine_source_raw_hash")),
    )
    op.create_table(
        "rehearsalclock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("moment", sa.Integer(), nullable=False),
        sa.Column("now", UtcDateTime(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsalclock")),
    )
    op.create_table(
        "sourcecursor",
        sa.Column("source", AutoString(length=64), nullable=False),
        sa.Column("cursor", AutoString(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_sourcecursor")),
    )
    op.create_table(
        "suppression",
        sa.Column("address_hash", AutoString(length=64), nullable=False),
        sa.Column("reason", AutoString(length=32), nullable=False),
        sa.Column("how", AutoString(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_suppression")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("follow_up", name="purpose", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("how", AutoString(length=255), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_consent_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", AutoString(length=64), nullable=False),
        sa.Column("external_id", AutoString(length=255), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "survey",
                "review",
                "social",
                "support",
                "mail",
                "signal",
                name="channel",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.Column("collected_at", UtcDateTime(), nullable=False),
        sa.Column("rating", sa.Float(), nullable=True),
        sa.Column(
            "rating_scale",
            sa.Enum(
                "nps",
                "csat",
                "ces",
                "stars",
                "ten",
                name="ratingscale",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("language", AutoString(length=16), nullable=True),
        sa.Column("touchpoint", AutoString(length=64), nullable=True),
        sa.Column("url", AutoString(length=1024), nullable=True),
        sa.Column("item_hash", AutoString(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "collected",
                "understood",
                "routed",
                "filed",
                name="feedbackstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", AutoString(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_feedback_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_feedback_source_external_id")),
    )
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_feedback_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_feedback_said_at"), ["said_at"], unique=False)
        batch_op.create_index("ix_feedback_state_id", ["state", "id"], unique=False)

    op.create_table(
        "identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "email",
                "phone",
                "handle",
                "account",
                name="identitykind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("value", AutoString(length=320), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_identity_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sa.UniqueConstraint("kind", "value", name=op.f("uq_identity_kind_value")),
    )
    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("department", AutoString(length=64), nullable=False),
        sa.Column("topic", AutoString(length=64), nullable=True),
        sa.Column("because", AutoString(length=255), nullable=False),
        sa.Column("offers", sa.JSON(), nullable=False),
        sa.Column(
            "priority",
            sa.Enum(
                "low", "normal", "high", "urgent", name="priority", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "in_progress",
                "resolved",
                "closed",
                name="ticketstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("hand", sa.Integer(), nullable=False),
        sa.Column("owner", AutoString(length=255), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("first_response_due_at", UtcDateTime(), nullable=False),
        sa.Column("resolution_due_at", UtcDateTime(), nullable=False),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("root_cause", AutoString(), nullable=True),
        sa.Column("action_taken", AutoString(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_ticket_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
    )
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_department"), ["department"], unique=False)
        batch_op.create_index("ix_ticket_state_id", ["state", "id"], unique=False)

    op.create_table(
        "feedbackversion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("feedback_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("verbatim", AutoString(), nullable=False),
        sa.Column("content_hash", AutoString(length=64), nullable=False),
        sa.Column("masked", sa.JSON(), nullable=False),
        sa.Column("collected_at", UtcDateTime(), nullable=False),
        sa.Column("language", AutoString(length=16), nullable=True),
        sa.Column("understood_by", AutoString(length=255), nullable=True),
        sa.ForeignKeyConstraint(
            ["feedback_id"],
            ["feedback.id"],
            name=op.f("fk_feedbackversion_feedback_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedbackversion")),
        sa.UniqueConstraint(
            "feedback_id", "number", name=op.f("uq_feedbackversion_feedback_id_number")
        ),
    )
    with op.batch_alter_table("feedbackversion", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_feedbackversion_feedback_id"), ["feedback_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_feedbackversion_understood_by"), ["understood_by"], unique=False
        )

    op.create_table(
        "loop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("feedback_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("issue", "thanks", name="loopkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "told",
                "closed",
                "could_not_tell",
                "not_actionable",
                "duplicate",
                name="loopstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", AutoString(length=64), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("first_told_at", UtcDateTime(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_loop_customer_id")),
        sa.ForeignKeyConstraint(["feedback_id"], ["feedback.id"], name=op.f("fk_loop_feedback_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loop")),
        sa.UniqueConstraint("feedback_id", name=op.f("uq_loop_feedback_id")),
    )
    with op.batch_alter_table("loop", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loop_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_loop_state_id", ["state", "id"], unique=False)

    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("loop_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum("solved", "not_solved", name="verdict", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("words", AutoString(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["loop_id"], ["loop.id"], name=op.f("fk_answer_loop_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.create_index("ix_answer_applied_at_id", ["applied_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_answer_loop_id"), ["loop_id"], unique=False)

    op.create_table(
        "loopticket",
        sa.Column("loop_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["loop_id"], ["loop.id"], name=op.f("fk_loopticket_loop_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_loopticket_ticket_id")),
        sa.PrimaryKeyConstraint("loop_id", "ticket_id", name=op.f("pk_loopticket")),
    )
    with op.batch_alter_table("loopticket", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loopticket_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", AutoString(length=64), nullable=False),
        sa.Column("step", AutoString(length=64), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("email", name="deliverychannel", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("recipient", AutoString(length=320), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("follow_up", "alert", name="messagekind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("template", AutoString(length=64), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("loop_id", sa.Integer(), nullable=True),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "queued",
                "claimed",
                "sending",
                "sent",
                "delivered",
                "bounced",
                "complained",
                "unknown",
                "suppressed",
                "expired",
                "held",
                "cancelled",
                "failed",
                "dead",
                "abandoned",
                name="messagestate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", AutoString(length=255), nullable=True),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("address", AutoString(length=320), nullable=True),
        sa.Column("message_id", AutoString(length=255), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("sender_id", AutoString(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_message_customer_id")
        ),
        sa.ForeignKeyConstraint(["loop_id"], ["loop.id"], name=op.f("fk_message_loop_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_message_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("message_id", name=op.f("uq_message_message_id")),
        sa.UniqueConstraint(
            "subject",
            "step",
            "channel",
            "recipient",
            name=op.f("uq_message_subject_step_channel_recipient"),
        ),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_loop_id"), ["loop_id"], unique=False)
        batch_op.create_index("ix_message_state_id", ["state", "id"], unique=False)
        batch_op.create_index(
            "ix_message_state_not_before_id", ["state", "not_before", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_message_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("text_hash", AutoString(length=64), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_statement_ticket_id")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["feedbackversion.id"],
            name=op.f("fk_statement_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("version_id", "start", name=op.f("uq_statement_version_id_start")),
    )
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_text_hash"), ["text_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_version_id"), ["version_id"], unique=False)

    op.create_table(
        "ticketevent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("loop_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "opened",
                "joined",
                "accepted",
                "reassigned",
                "resolved",
                "escalated",
                "reopened",
                "closed",
                "loop_opened",
                "loop_told",
                "loop_closed",
                "loop_ended",
                "loop_reopened",
                name="ticketeventkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("actor", AutoString(length=255), nullable=False),
        sa.Column("detail", AutoString(length=255), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("previous_hash", AutoString(length=64), nullable=False),
        sa.Column("hash", AutoString(length=64), nullable=False),
        sa.ForeignKeyConstraint(["loop_id"], ["loop.id"], name=op.f("fk_ticketevent_loop_id")),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_ticketevent_ticket_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticketevent")),
        sa.UniqueConstraint("hash", name=op.f("uq_ticketevent_hash")),
    )
    with op.batch_alter_table("ticketevent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticketevent_loop_id"), ["loop_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticketevent_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "label",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "sentiment",
                "topic",
                "department",
                name="suggestionkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("value", AutoString(length=64), nullable=False),
        sa.Column("actor", AutoString(length=255), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["statement.id"],
            name=op.f("fk_label_statement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
    )
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_label_statement_id"), ["statement_id"], unique=False)

    op.create_table(
        "link",
        sa.Column("token_hash", AutoString(length=64), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "answer",
                "unsubscribe",
                "accept",
                "reassign",
                "resolve",
                name="linkpurpose",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_link_message_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_link")),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_message_id"), ["message_id"], unique=False)

    op.create_table(
        "suggestion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "sentiment",
                "topic",
                "department",
                name="suggestionkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("model", AutoString(length=128), nullable=False),
        sa.Column("value", AutoString(length=64), nullable=True),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("offers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["statement.id"],
            name=op.f("fk_suggestion_statement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion")),
        sa.UniqueConstraint(
            "statement_id", "kind", "model", name=op.f("uq_suggestion_statement_id_kind_model")
        ),
    )
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_suggestion_statement_id"), ["statement_id"], unique=False
        )

    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"create trigger ticketevent_no_{verb} before {verb} on ticketevent "
                "begin select raise(abort, 'ticket events are append-only'); end"
            )
    else:
        op.execute(
            "create function ticketevent_refuse() returns trigger language plpgsql as "
            "$$ begin raise exception 'ticket events are append-only'; end $$"
        )
        op.execute(
            "create trigger ticketevent_append_only before update or delete on ticketevent "
            "for each row execute function ticketevent_refuse()"
        )


def downgrade() -> None:
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_suggestion_statement_id"))

    op.drop_table("suggestion")
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_message_id"))

    op.drop_table("link")
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_label_statement_id"))

    op.drop_table("label")
    with op.batch_alter_table("ticketevent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticketevent_ticket_id"))
        batch_op.drop_index(batch_op.f("ix_ticketevent_loop_id"))

    op.drop_table("ticketevent")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_version_id"))
        batch_op.drop_index(batch_op.f("ix_statement_ticket_id"))
        batch_op.drop_index(batch_op.f("ix_statement_text_hash"))

    op.drop_table("statement")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_ticket_id"))
        batch_op.drop_index("ix_message_state_not_before_id")
        batch_op.drop_index("ix_message_state_id")
        batch_op.drop_index(batch_op.f("ix_message_loop_id"))
        batch_op.drop_index(batch_op.f("ix_message_customer_id"))

    op.drop_table("message")
    with op.batch_alter_table("loopticket", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_loopticket_ticket_id"))

    op.drop_table("loopticket")
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_answer_loop_id"))
        batch_op.drop_index("ix_answer_applied_at_id")

    op.drop_table("answer")
    with op.batch_alter_table("loop", schema=None) as batch_op:
        batch_op.drop_index("ix_loop_state_id")
        batch_op.drop_index(batch_op.f("ix_loop_customer_id"))

    op.drop_table("loop")
    with op.batch_alter_table("feedbackversion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_feedbackversion_understood_by"))
        batch_op.drop_index(batch_op.f("ix_feedbackversion_feedback_id"))

    op.drop_table("feedbackversion")
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_index("ix_ticket_state_id")
        batch_op.drop_index(batch_op.f("ix_ticket_department"))
        batch_op.drop_index(batch_op.f("ix_ticket_customer_id"))

    op.drop_table("ticket")
    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_customer_id"))

    op.drop_table("identity")
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.drop_index("ix_feedback_state_id")
        batch_op.drop_index(batch_op.f("ix_feedback_said_at"))
        batch_op.drop_index(batch_op.f("ix_feedback_customer_id"))

    op.drop_table("feedback")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_customer_id"))

    op.drop_table("consent")
    op.drop_table("suppression")
    op.drop_table("sourcecursor")
    op.drop_table("rehearsalclock")
    op.drop_table("quarantine")
    op.drop_table("installation")
    op.drop_table("embedding")
    op.drop_table("customer")
    op.drop_table("chainhead")
