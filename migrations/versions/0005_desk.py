"""The desk: who uses it and what they did, and what owners can do with a ticket."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from voc.columns import UtcDateTime

revision = "0005"
down_revision = "0004"

NEXT_PROMISE = (
    "CASE WHEN state IN ('open', 'in_progress') THEN "
    "CASE WHEN accepted_at IS NULL AND first_response_due_at < resolution_due_at "
    "THEN first_response_due_at ELSE resolution_due_at END END"
)
QUEUE_INDEXES = {
    "ix_ticket_queue": ["department", "due_at", "owner", "snoozed_until", "topic", "state"],
    "ix_ticket_department_opened_at": ["department", "opened_at"],
    "ix_ticket_department_resolved_at": ["department", "resolved_at"],
}
ROLES = ("owner", "operations", "administrator", "auditor")
INDEXES = {
    "message": "ix_message_follow_up",
    "exposure": "ix_exposure_customer_id",
    "inboundevent": "ix_inboundevent_customer_id",
}

OPERATIONS_INDEXES = {
    "ix_message_state_reason_settled_at_id": (
        "message",
        ["state", "reason", "settled_at", "id"],
    ),
    "ix_message_state_settled_at_id": ("message", ["state", "settled_at", "id"]),
    "ix_feedback_source_state_said_at": ("feedback", ["source", "state", "said_at"]),
    "ix_quarantine_state_source_reason_id": ("quarantine", ["state", "source", "reason", "id"]),
    "ix_exposure_experiment_variant": ("exposure", ["experiment", "variant"]),
}
WIDER_INDEXES = {
    "ix_feedback_customer_id": (
        "feedback",
        ["customer_id"],
        "ix_feedback_customer_id_said_at_id",
        ["customer_id", "said_at", "id"],
    ),
    "ix_feedbackversion_understood_by": (
        "feedbackversion",
        ["understood_by"],
        "ix_feedbackversion_understood_by_id",
        ["understood_by", "id"],
    ),
}
"""Each in the place of one that it begins with."""

FIGURES_INDEXES = {
    "ix_ticket_opened_at": ("ticket", ["opened_at"]),
    "ix_loop_state_reason": ("loop", ["state", "reason"]),
}
FIGURES_TABLES = (
    "experimentcount",
    "figuresstate",
    "touchedday",
    "departmentfigures",
    "weekfigures",
)


CAME_BACK = (
    "UPDATE loop SET reopened = (SELECT count(*) FROM ticketevent e "
    "WHERE e.loop_id = loop.id AND e.kind = 'loop_reopened')",
    "UPDATE ticket SET reopened_hand = hand WHERE EXISTS (SELECT 1 FROM ticketevent e "
    "WHERE e.ticket_id = ticket.id AND e.kind = 'reopened' AND e.detail <> 'refused' "
    "AND e.id > COALESCE((SELECT max(h.id) FROM ticketevent h "
    "WHERE h.ticket_id = ticket.id AND h.kind = 'reassigned'), 0))",
)
"""What customers have called unsolved; of tickets only since their department has them."""


def upgrade() -> None:
    _create_access()
    _add_to_tickets()
    _order_the_queue()
    _remember_what_came_back()
    _add_to_customers()
    _index_messages()
    _watch_operations()
    _create_webhooks()
    _count_weeks()
    _count_experiments()


def downgrade() -> None:
    for index, (table, _) in FIGURES_INDEXES.items():
        op.drop_index(index, table)
    for table in FIGURES_TABLES:
        op.drop_table(table)
    op.drop_table("webhookcursor")
    op.drop_table("tombstone")
    op.execute("ALTER TABLE feedbackversion DROP COLUMN said_at")
    with op.batch_alter_table("quarantine") as batch:
        batch.drop_column("again")
    for narrow, (table, columns, wide, _) in WIDER_INDEXES.items():
        op.create_index(narrow, table, columns)
        op.drop_index(wide, table)
    for index, (table, _) in OPERATIONS_INDEXES.items():
        op.drop_index(index, table)
    op.drop_table("suggestioncount")
    for table, index in INDEXES.items():
        op.drop_index(index, table)
    op.drop_index("ix_answer_at", "answer")
    for index in QUEUE_INDEXES:
        op.drop_index(index, "ticket")
    op.execute("ALTER TABLE ticket DROP COLUMN due_at")
    op.execute("ALTER TABLE ticket DROP COLUMN reopened_hand")
    op.execute("ALTER TABLE loop DROP COLUMN reopened")
    for table in ("customermerge", "ticketbefore", "ticketcomment"):
        op.drop_table(table)
    for table in ("auditentry", "apitoken", "desksession"):
        op.drop_table(table)
    op.drop_table("account")
    for table, columns in {
        "ticket": ["merged_into_id", "snoozed_until"],
        "customer": ["merged_into_id"],
        "feedback": ["product"],
    }.items():
        with op.batch_alter_table(table) as batch:
            if table == "ticket":
                batch.drop_index("ix_ticket_merged_into_id")
            for column in columns:
                batch.drop_column(column)


def _create_access() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", AutoString(length=320), nullable=False),
        sa.Column("name", AutoString(length=255), nullable=False),
        sa.Column(
            "role", sa.Enum(*ROLES, name="role", native_enum=False, length=32), nullable=False
        ),
        sa.Column("departments", sa.JSON(), nullable=False),
        sa.Column("password_hash", AutoString(length=255), nullable=True),
        sa.Column("password_link", sa.Integer(), nullable=False),
        sa.Column("oidc_subject", AutoString(length=255), nullable=True),
        sa.Column("timezone", AutoString(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        sa.UniqueConstraint("oidc_subject", name=op.f("uq_account_oidc_subject")),
    )
    op.create_table(
        "desksession",
        sa.Column("token_hash", AutoString(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_desksession_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_desksession")),
    )
    op.create_index(op.f("ix_desksession_account_id"), "desksession", ["account_id"])
    op.create_table(
        "apitoken",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", AutoString(length=64), nullable=False),
        sa.Column("token_hash", AutoString(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_by", AutoString(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apitoken")),
        sa.UniqueConstraint("name", name=op.f("uq_apitoken_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_apitoken_token_hash")),
    )
    op.create_table(
        "auditentry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", AutoString(length=255), nullable=False),
        sa.Column("deed", AutoString(length=64), nullable=False),
        sa.Column("subject", AutoString(length=64), nullable=False),
        sa.Column("detail", AutoString(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auditentry")),
    )
    for column in ("subject", "actor", "deed"):
        op.create_index(f"ix_auditentry_{column}_id", "auditentry", [column, "id"])


def _add_to_tickets() -> None:
    op.add_column("ticket", sa.Column("snoozed_until", UtcDateTime(), nullable=True))
    _point_to_itself("ticket")
    op.create_index("ix_ticket_merged_into_id", "ticket", ["merged_into_id"])
    op.create_table(
        "ticketcomment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("author", AutoString(length=255), nullable=False),
        sa.Column("words", AutoString(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_ticketcomment_ticket_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticketcomment")),
    )
    op.create_index(op.f("ix_ticketcomment_ticket_id"), "ticketcomment", ["ticket_id"])
    op.create_table(
        "ticketbefore",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("department", AutoString(length=64), nullable=False),
        sa.Column("because", AutoString(length=255), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("hand", sa.Integer(), nullable=False),
        sa.Column("owner", AutoString(length=255), nullable=True),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("first_response_due_at", UtcDateTime(), nullable=False),
        sa.Column("resolution_due_at", UtcDateTime(), nullable=False),
        sa.Column("snoozed_until", UtcDateTime(), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [f"{name}_id"], [f"{table}.id"], name=op.f(f"fk_ticketbefore_{name}_id")
            )
            for name, table in {"ticket": "ticket", "event": "ticketevent"}.items()
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticketbefore")),
    )


def _order_the_queue() -> None:
    """In place, too. PostgreSQL keeps the value; SQLite works it out, and keeps the index."""
    kind = "TIMESTAMP WITH TIME ZONE" if op.get_bind().dialect.name == "postgresql" else "DATETIME"
    kept = "STORED" if op.get_bind().dialect.name == "postgresql" else "VIRTUAL"
    op.execute(
        f"ALTER TABLE ticket ADD COLUMN due_at {kind} GENERATED ALWAYS AS ({NEXT_PROMISE}) {kept}"
    )
    for name, columns in QUEUE_INDEXES.items():
        op.create_index(name, "ticket", columns)
    op.create_index("ix_answer_at", "answer", ["at"])


def _remember_what_came_back() -> None:
    op.add_column("loop", sa.Column("reopened", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("ticket", sa.Column("reopened_hand", sa.Integer(), nullable=True))
    for statement in CAME_BACK:
        op.execute(statement)


def _add_to_customers() -> None:
    op.add_column("feedback", sa.Column("product", AutoString(length=64), nullable=True))
    _point_to_itself("customer")
    op.create_table(
        "customermerge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kept_id", sa.Integer(), nullable=False),
        sa.Column("merged_id", sa.Integer(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("made", sa.JSON(), nullable=False),
        sa.Column("consents_to", sa.Integer(), nullable=False),
        sa.Column("actor", AutoString(length=255), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("undone_by", AutoString(length=255), nullable=True),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [column],
                ["customer.id"],
                name=op.f(f"fk_customermerge_{column}"),
                ondelete="CASCADE",
            )
            for column in ("kept_id", "merged_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customermerge")),
    )
    for column in ("kept_id", "merged_id"):
        op.create_index(op.f(f"ix_customermerge_{column}"), "customermerge", [column])


def _point_to_itself(table: str) -> None:
    """In place: SQLite would otherwise copy a table that others point to."""
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN merged_into_id INTEGER "
        f"CONSTRAINT fk_{table}_merged_into_id REFERENCES {table} (id)"
    )


def _index_messages() -> None:
    """A loop's step goes to one customer, also if two turn out to be one. And whose it all is."""
    a_follow_up = sa.text("kind = 'follow_up'")
    op.create_index(
        "ix_message_follow_up",
        "message",
        ["subject", "step"],
        unique=True,
        sqlite_where=a_follow_up,
        postgresql_where=a_follow_up,
    )
    for table in ("exposure", "inboundevent"):
        op.create_index(op.f(f"ix_{table}_customer_id"), table, ["customer_id"])


def _watch_operations() -> None:
    for index, (table, columns) in OPERATIONS_INDEXES.items():
        op.create_index(index, table, columns)
    for narrow, (table, _, wide, columns) in WIDER_INDEXES.items():
        op.create_index(wide, table, columns)
        op.drop_index(narrow, table)
    again = sa.Column("again", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("quarantine", again)
    kinds = ("sentiment", "topic", "department")
    op.create_table(
        "suggestioncount",
        sa.Column("week", AutoString(length=8), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*kinds, name="suggestionkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("model", AutoString(length=128), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("unsure", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("week", "kind", "model", name=op.f("pk_suggestioncount")),
    )


def _create_webhooks() -> None:
    op.create_table(
        "webhookcursor",
        sa.Column("webhook", AutoString(length=40), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("moved_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("webhook", name=op.f("pk_webhookcursor")),
    )
    op.create_table(
        "tombstone",
        sa.Column("source", AutoString(length=64), nullable=False),
        sa.Column("external_id", AutoString(length=255), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "external_id", name=op.f("pk_tombstone")),
    )
    op.add_column("feedbackversion", sa.Column("said_at", UtcDateTime(), nullable=True))


def _count_weeks() -> None:
    cell = ("channel", "touchpoint", "product", "segment")
    op.create_table(
        "weekfigures",
        sa.Column("week", AutoString(length=8), nullable=False),
        *(sa.Column(name, AutoString(length=64), nullable=False) for name in cell),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("themes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("week", *cell, name=op.f("pk_weekfigures")),
    )
    op.create_table(
        "departmentfigures",
        sa.Column("week", AutoString(length=8), nullable=False),
        sa.Column("department", AutoString(length=64), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("week", "department", name=op.f("pk_departmentfigures")),
    )
    op.create_table(
        "touchedday",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touchedday")),
    )
    op.create_table(
        "figuresstate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("timezone", AutoString(length=64), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figuresstate")),
    )
    for index, (table, columns) in FIGURES_INDEXES.items():
        op.create_index(index, table, columns)


def _count_experiments() -> None:
    op.create_table(
        "experimentcount",
        sa.Column("experiment", AutoString(length=64), nullable=False),
        sa.Column("arm", AutoString(length=64), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("n", "events", "waiting")),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("experiment", "arm", name=op.f("pk_experimentcount")),
    )
