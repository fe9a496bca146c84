"""The desk: who uses it and what they did, and what owners can do with a ticket."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from voc.columns import UtcDateTime

revision = "0005"
down_revision = "0004"

ROLES = ("owner", "operations", "administrator", "auditor")


def upgrade() -> None:
    _create_access()
    _add_to_tickets()
    _add_to_customers()


def downgrade() -> None:
    for table in ("customermerge", "ticketcomment", "auditentry", "apitoken", "desksession"):
        op.drop_table(table)
    op.drop_table("account")
    for table, columns in {
        "ticket": ["merged_into_id", "snoozed_until"],
        "customer": ["merged_into_id"],
        "feedback": ["product"],
    }.items():
        with op.batch_alter_table(table) as batch:
            if "merged_into_id" in columns:
                batch.drop_index(f"ix_{table}_merged_into_id")
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
    op.create_index(op.f("ix_auditentry_at"), "auditentry", ["at"])
    op.create_index("ix_auditentry_subject_id", "auditentry", ["subject", "id"])


def _add_to_tickets() -> None:
    op.add_column("ticket", sa.Column("snoozed_until", UtcDateTime(), nullable=True))
    _point_to_itself("ticket")
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


def _add_to_customers() -> None:
    op.add_column("feedback", sa.Column("product", AutoString(length=64), nullable=True))
    _point_to_itself("customer")
    op.create_table(
        "customermerge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kept_id", sa.Integer(), nullable=False),
        sa.Column("merged_id", sa.Integer(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
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
    op.create_index(op.f(f"ix_{table}_merged_into_id"), table, ["merged_into_id"])
