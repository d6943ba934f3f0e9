"""The tables of the main loop, and the triggers that make a ticket's history append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Plain types, and not those of bot.models: a revision must not change when the models do.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for make in (_site, _people, _cases, _post, _receipt):
        make()
    _append_only("ticket_event")


def _id() -> sa.Column[int]:
    return sa.Column("id", BIG, primary_key=True, autoincrement=False)


def _site() -> None:
    """The subdistrict: areas, units, staff, duties, and what belongs to them."""
    op.create_table(
        "area",
        _id(),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("parent_id", BIG, sa.ForeignKey("area.id")),
        sa.Column("aliases", sa.JSON, nullable=False),
        sa.Column("buildings", sa.JSON, nullable=False),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
    )
    op.create_table(
        "bind_attempt",
        _id(),
        sa.Column("openid", sa.String, nullable=False, unique=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )
    op.create_table(
        "site",
        _id(),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_table(
        "unit",
        _id(),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("area_id", BIG, sa.ForeignKey("area.id")),
        sa.Column("review", sa.Boolean, nullable=False),
        sa.Column("desk", sa.Boolean, nullable=False),
    )
    op.create_table(
        "staff",
        _id(),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("unit_id", BIG, sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("openid", sa.String, unique=True),
        sa.Column("phone", sa.String, nullable=False),
        sa.Column("code", sa.String, nullable=False, index=True),
        sa.Column("code_expires_at", INSTANT),
        sa.Column("active", sa.Boolean, nullable=False),
    )
    op.create_table(
        "duty",
        _id(),
        sa.Column("intent", sa.String, nullable=False),
        sa.Column("area_id", BIG, sa.ForeignKey("area.id")),
        sa.Column("unit_id", BIG, sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("staff_id", BIG, sa.ForeignKey("staff.id")),
    )
    op.create_table(
        "token",
        _id(),
        sa.Column("hash", sa.String, nullable=False, unique=True),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("staff_id", BIG, sa.ForeignKey("staff.id")),
        sa.Column("created_at", INSTANT, nullable=False),
    )


def _people() -> None:
    """Residents, the talk with each, and what they sent."""
    op.create_table(
        "conversation",
        _id(),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("asked_at", INSTANT),
        sa.Column("due_at", INSTANT, index=True),
        sa.Column("last_at", INSTANT),
        sa.Column("window_until", INSTANT),
        sa.Column("window_left", sa.Integer, nullable=False),
    )
    op.create_table(
        "resident",
        _id(),
        sa.Column("openid", sa.String, nullable=False, unique=True),
        sa.Column("subscribed", sa.Boolean, nullable=False),
        sa.Column("area_id", BIG, sa.ForeignKey("area.id")),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("phone", sa.String, nullable=False),
        sa.Column("phone_mark", sa.String, nullable=False, index=True),
        sa.Column("home", sa.String, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_table(
        "message",
        _id(),
        sa.Column("key", sa.String, nullable=False, unique=True),
        sa.Column("resident_id", BIG, sa.ForeignKey("resident.id"), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("understood", sa.JSON, nullable=False),
        sa.Column("ticket_id", BIG, index=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reply", sa.String),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Index("ix_message_resident", "resident_id", "id"),
    )


def _cases() -> None:
    """Tickets and what hangs on them."""
    op.create_table(
        "ticket",
        _id(),
        sa.Column("number", sa.String, nullable=False, unique=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("result", sa.String),
        sa.Column("came_from", sa.String),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("intent", sa.String, nullable=False),
        sa.Column("act", sa.String, nullable=False),
        sa.Column("level", sa.String, nullable=False),
        sa.Column("summary", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("slots", sa.JSON, nullable=False),
        sa.Column("private", sa.String, nullable=False),
        sa.Column("phone_mark", sa.String, nullable=False, index=True),
        sa.Column("plate_mark", sa.String, nullable=False, index=True),
        sa.Column("area_id", BIG, sa.ForeignKey("area.id"), index=True),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("resident_id", BIG, sa.ForeignKey("resident.id")),
        sa.Column("lead_id", BIG, sa.ForeignKey("unit.id")),
        sa.Column("assignee_id", BIG, sa.ForeignKey("staff.id")),
        sa.Column("parent_id", BIG, sa.ForeignKey("ticket.id"), index=True),
        sa.Column("merged_id", BIG, sa.ForeignKey("ticket.id")),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("sensitive", sa.Boolean, nullable=False),
        sa.Column("confident", sa.Boolean, nullable=False),
        sa.Column("locked", sa.Boolean, nullable=False),
        sa.Column("late_sign", sa.Boolean, nullable=False),
        sa.Column("unrated", sa.Boolean, nullable=False),
        sa.Column("card", sa.String),
        sa.Column("supervision", sa.Integer, nullable=False),
        sa.Column("extended", sa.Boolean, nullable=False),
        sa.Column("appealed", sa.Boolean, nullable=False),
        sa.Column("supporters", sa.Integer, nullable=False),
        sa.Column("returns", sa.Integer, nullable=False),
        sa.Column("info_rounds", sa.Integer, nullable=False),
        sa.Column("follow_ups", sa.Integer, nullable=False),
        sa.Column("satisfaction", sa.String),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("state_at", INSTANT, nullable=False),
        sa.Column("dispatched_at", INSTANT),
        sa.Column("signed_at", INSTANT),
        sa.Column("contacted_at", INSTANT),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("finished_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("accept_due_at", INSTANT),
        sa.Column("sign_due_at", INSTANT),
        sa.Column("contact_due_at", INSTANT),
        sa.Column("unit_due_at", INSTANT),
        sa.Column("due_at", INSTANT),
        sa.Column("review_at", INSTANT),
        sa.Column("paused_at", INSTANT),
        sa.Column("paused_left", sa.JSON),
        sa.Column("watch_at", INSTANT, index=True),
        sa.Column("watched_at", INSTANT),
        sa.Index("ix_ticket_assignee", "assignee_id", "state"),
        sa.Index("ix_ticket_created", "created_at", "id"),
        sa.Index("ix_ticket_lead", "lead_id", "state"),
        sa.Index("ix_ticket_resident", "resident_id", "id"),
        sa.Index("ix_ticket_state", "state", "id"),
    )
    op.create_table(
        "media",
        _id(),
        sa.Column("message_id", BIG, sa.ForeignKey("message.id"), nullable=False),
        sa.Column("ticket_id", BIG, sa.ForeignKey("ticket.id"), index=True),
        sa.Column("media_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("content_type", sa.String, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.String, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Index("ix_media_due", "state", "due_at"),
    )
    op.create_table(
        "supporter",
        _id(),
        sa.Column("ticket_id", BIG, sa.ForeignKey("ticket.id"), nullable=False),
        sa.Column("resident_id", BIG, sa.ForeignKey("resident.id"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Index("ux_supporter", "ticket_id", "resident_id", unique=True),
    )
    op.create_table(
        "ticket_event",
        _id(),
        sa.Column("ticket_id", BIG, sa.ForeignKey("ticket.id"), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("staff_id", BIG),
        sa.Column("from_state", sa.String),
        sa.Column("to_state", sa.String),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Index("ix_event_ticket", "ticket_id", "id"),
    )


def _post() -> None:
    """What leaves, and where ids come from."""
    op.create_table(
        "outbox",
        _id(),
        sa.Column("ticket_id", BIG, index=True),
        sa.Column("openid", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("channel", sa.String),
        sa.Column("client_msg_id", sa.String, nullable=False, unique=True),
        sa.Column("platform_id", sa.String, index=True),
        sa.Column("once", sa.String, unique=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("errcode", sa.Integer),
        sa.Column("error", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.Index("ix_outbox_created", "created_at", "id"),
        sa.Index(
            "ix_outbox_waiting",
            "urgent",
            "due_at",
            "id",
            sqlite_where=sa.text("state IN ('pending', 'sending')"),
            postgresql_where=sa.text("state IN ('pending', 'sending')"),
        ),
        sa.Index("ix_outbox_openid", "openid", "id"),
    )


def _receipt() -> None:
    """What the platform says of a template message before we have recorded that it was sent."""
    op.create_table(
        "receipt",
        _id(),
        sa.Column("platform_id", sa.String, nullable=False, unique=True),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
    )


def _append_only(table: str) -> None:
    """Changing or deleting a row of ``table`` fails from now on, whoever tries."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        op.execute(
            "CREATE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
    does = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    for verb in ("UPDATE", "DELETE"):
        action = does if sqlite else "EXECUTE FUNCTION forbid_change()"
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"FOR EACH ROW {action}"
        )
