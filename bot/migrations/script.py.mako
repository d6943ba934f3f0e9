"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


# The way back is the backup taken before: see ``tongxin restore``.
def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
