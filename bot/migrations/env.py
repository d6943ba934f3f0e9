"""What alembic runs: always inside the connection that ``bot.migrations`` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import BigInteger
from sqlmodel import AutoString, SQLModel

import bot.models  # noqa: F401  (fills SQLModel.metadata)
from bot.models.columns import Instant


def render(kind: str, thing: Any, _context: AutogenContext) -> str | Literal[False]:
    """Our own types as plain ones: a revision must not change when ``bot.models`` does."""
    if kind == "type" and isinstance(thing, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(thing, BigInteger):
        return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
    if kind == "type" and isinstance(thing, AutoString):
        return "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_item=render,
    # SQLite cannot alter a column in place: later revisions copy the table.
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
