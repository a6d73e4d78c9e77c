import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.execute('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"')
    op.create_table("customers", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
    op.create_table(
        "orders",
        sa.Column("dt", sa.Date, nullable=False),
        sa.Column("key", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id"), nullable=False),
        sa.Column("amount", sa.Numeric(10, 2), nullable=False),
        sa.Column("loaded_on", sa.Date, server_default=sa.text("CURRENT_DATE")),
    )


def downgrade():
    op.drop_table("orders")
