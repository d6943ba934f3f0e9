"""One turn of a talk: what a handler gets, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.conversation.incoming import Incoming
from bot.models import Conversation, Message, Resident, Staff
from bot.models.office import Site
from bot.services.talks import Question
from bot.work import Work
from intents.engine.catalogue import Catalogue, Intent
from intents.understanding import Item, Understanding


@dataclass(frozen=True, slots=True)
class Reply:
    """What the account says. None says nothing (``success``).

    ``question`` stays open until answered; with ``keep`` the one that was open goes on.
    ``options`` are shown as numbered lines that can be tapped. ``wait`` makes the talk be looked
    at again after that time (``Conversation.due_at``).
    """

    text: str | None
    options: Sequence[str] = ()
    question: Question | None = None
    keep: bool = False
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply to an open question: ``choice`` is the index of the option meant, if one was."""

    text: str
    choice: int | None


Handling = Callable[["Turn"], Reply]
Answering = Callable[["Turn", Answer], Reply | None]


@dataclass(frozen=True, slots=True)
class Handlers:
    """The handlers by name, as ``bot.app`` found them; ``answer`` for those that ask questions,
    ``looks_back`` those that will want the resident's tickets (``LOOKS_BACK`` in the module)."""

    handle: Mapping[str, Handling] = field(default_factory=dict)
    answer: Mapping[str, Answering] = field(default_factory=dict)
    looks_back: frozenset[str] = frozenset()


@dataclass(slots=True)
class Turn:
    """Everything about one message. ``question`` is what was open when it came; ``item`` is the
    thing asked that this handler was chosen for, ``message`` the inbox row."""

    work: Work
    catalogue: Catalogue
    handlers: Handlers
    incoming: Incoming
    resident: Resident
    conversation: Conversation
    message: Message
    understanding: Understanding | None = None
    question: Question | None = None

    @property
    def site(self) -> Site:
        return self.work.site

    @property
    def staff(self) -> Staff | None:
        return self.site.staff_by_openid.get(self.incoming.openid)

    @property
    def item(self) -> Item:
        if self.understanding is None:
            raise ValueError(f"a {self.incoming.kind} message has no words to understand")
        return self.understanding.items[0]

    @property
    def intent(self) -> Intent:
        return self.catalogue.intents[self.item.intent]

    def route(self) -> Reply:
        """What the handler of the understood intent says."""
        return self.handlers.handle[self.intent.handler](self)

    @property
    def text(self) -> str:
        """The resident's own words, unmasked: to act on, never to store."""
        return self.incoming.text
