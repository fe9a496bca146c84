"""themes."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from voc.columns import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "themeregistry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("discovered_to", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_themeregistry")),
    )
    op.create_table(
        "theme",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("active", "retired", name="themestate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("name", AutoString(length=80), nullable=True),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("topic", AutoString(length=64), nullable=True),
        sa.Column("model", AutoString(length=128), nullable=False),
        sa.Column("centroid", sa.LargeBinary(), nullable=False),
        sa.Column("cut", sa.Float(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("central_statement_id", sa.Integer(), nullable=True),
        sa.Column("born_at", UtcDateTime(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["central_statement_id"],
            ["statement.id"],
            name=op.f("fk_theme_central_statement_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme")),
    )
    with op.batch_alter_table("theme", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_theme_state"), ["state"], unique=False)

    op.create_table(
        "themeassignment",
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "assigned",
                "waiting",
                "unassigned",
                "not_comparable",
                name="assignmentstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("theme_id", sa.Integer(), nullable=True),
        sa.Column("similarity", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "(state = 'assigned') = (theme_id IS NOT NULL)",
            name=op.f("ck_themeassignment_assigned_has_theme"),
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["statement.id"],
            name=op.f("fk_themeassignment_statement_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["theme_id"], ["theme.id"], name=op.f("fk_themeassignment_theme_id")
        ),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_themeassignment")),
    )
    with op.batch_alter_table("themeassignment", schema=None) as batch_op:
        batch_op.create_index(
            "ix_themeassignment_state_statement_id", ["state", "statement_id"], unique=False
        )
        batch_op.create_index(
            "ix_themeassignment_theme_id_similarity", ["theme_id", "similarity"], unique=False
        )

    op.create_table(
        "themeevent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("theme_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "born",
                "continued",
                "split",
                "merged",
                "retired",
                "renamed",
                "promoted",
                name="themeeventkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("other_id", sa.Integer(), nullable=True),
        sa.Column("detail", AutoString(length=80), nullable=False),
        sa.Column("actor", AutoString(length=255), nullable=False),
        sa.Column("run", AutoString(length=36), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["other_id"], ["theme.id"], name=op.f("fk_themeevent_other_id")),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.id"], name=op.f("fk_themeevent_theme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_themeevent")),
    )
    with op.batch_alter_table("themeevent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_themeevent_theme_id"), ["theme_id"], unique=False)


def downgrade() -> None:
    for table in ("themeevent", "themeassignment", "theme", "themeregistry"):
        op.drop_table(table)
