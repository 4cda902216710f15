"""Of whom something was written that nobody was told of yet."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the column."""
    op.add_column("customers", sa.Column("untold", sa.Boolean(), nullable=False, server_default=sa.false()))
