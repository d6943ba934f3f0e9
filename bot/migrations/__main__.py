"""``python -m bot.migrations MESSAGE``: draft the revision that leads from head to the models."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from bot.db import Database
from bot.migrations import config, upgrade


def draft(message: str, revision: str) -> None:
    """Write ``versions/REVISION_MESSAGE.py`` from what the models have and the migrations lack."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'draft.db'}")
        upgrade(database)
        with database.write() as connection:
            command.revision(config(connection), message, autogenerate=True, rev_id=revision)
        database.close()


if __name__ == "__main__":
    number = len(list((Path(__file__).parent / "versions").glob("[0-9]*.py"))) + 1
    draft(" ".join(sys.argv[1:]), f"{number:04d}")
