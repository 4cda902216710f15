"""Until when somebody may be at Stripe."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the column."""
    op.add_column("customers", sa.Column("at_stripe_until", sa.BigInteger(), nullable=False, server_default="0"))
