"""router."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from voc.columns import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "labelledtext",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", AutoString(), nullable=False),
        sa.Column("text_hash", AutoString(length=64), nullable=False),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labelledtext")),
        sa.UniqueConstraint("text_hash", "kind", name=op.f("uq_labelledtext_text_hash_kind")),
    )
    op.create_table(
        "trainedrouter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", AutoString(length=64), nullable=False),
        sa.Column("encoder", AutoString(length=128), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.Column("learned_from", AutoString(length=64), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("trained_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainedrouter")),
    )


def downgrade() -> None:
    op.drop_table("trainedrouter")
    op.drop_table("labelledtext")
