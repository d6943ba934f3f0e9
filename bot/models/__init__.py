"""The tables. Importing this package knows them all (alembic and ``create_all`` rely on it)."""

from bot.models.cases import Event, Media, Supporter, Ticket
from bot.models.people import Conversation, Message, Resident
from bot.models.post import Outbox, Receipt
from bot.models.site import Area, BindAttempt, Counter, Duty, SiteState, Staff, Token, Unit

__all__ = [
    "Area",
    "BindAttempt",
    "Conversation",
    "Counter",
    "Duty",
    "Event",
    "Media",
    "Message",
    "Outbox",
    "Receipt",
    "Resident",
    "SiteState",
    "Staff",
    "Supporter",
    "Ticket",
    "Token",
    "Unit",
]
