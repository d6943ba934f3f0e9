"""A batch of incoming messages → one transaction → their replies.

Nothing here is asynchronous and nothing leaves: pushes are rows of the same transaction. If a turn
raises, the batch is rolled back and run again with every turn in a savepoint of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from bot import statements
from bot.conversation.dialogue import converse
from bot.conversation.incoming import Incoming
from bot.conversation.turn import Handlers, Turn
from bot.db import Database, is_failing, retried
from bot.masking import mask
from bot.models import Conversation, Message, Resident
from bot.models.actor import SYSTEM
from bot.models.office import Site
from bot.services import media, notices, outbox, post, residents, tickets
from bot.services.post import Letter
from bot.work import Means, Work, table_of
from intents.engine.engine import Engine
from intents.understanding import Query, Understanding

log = structlog.get_logger()

LONGEST_TEXT = 2000


@dataclass(slots=True)
class Entry:
    """One message on its way; ``waiting`` counts the requests that still want its answer."""

    incoming: Incoming
    waiting: int = 1
    reply: str | None = None
    heard: Understanding | None = None
    fault: Exception | None = None


class Batches:
    """Runs batches; everything it needs is handed in."""

    def __init__(
        self,
        database: Database,
        means: Means,
        engine: Engine,
        handlers: Handlers,
        site: Callable[[Connection], Site],
    ) -> None:
        self._database = database
        self._means = means
        self._engine = engine
        self._handlers = handlers
        self._site = site
        self._gazetteer_of: Site | None = None
        # How many pushes the delivery of this process would take along; asked at every batch.
        self.room: Callable[[], int] = lambda: 0

    def run(self, entries: Sequence[Entry], now: datetime) -> list[Letter]:
        """Settle every entry's ``reply``; on return all of it is on disk.

        The letters are pushes that the transaction claimed for this process: they may leave now.
        """
        self._understand(entries, now)
        return retried(lambda: self._transaction(entries, now))

    def _understand(self, entries: Sequence[Entry], now: datetime) -> None:
        """All texts at once, before the transaction is opened."""
        if self._gazetteer_of is None:
            with self._database.read() as connection:
                self._gazetteer_of = self._site(connection)
        gazetteer = self._gazetteer_of.gazetteer
        spoken = [e for e in entries if e.incoming.kind in ("text", "voice") and e.incoming.text]
        queries = [Query(e.incoming.text[:LONGEST_TEXT], now, gazetteer) for e in spoken]
        try:
            for entry, heard in zip(spoken, self._engine.understand(queries), strict=True):
                entry.heard = heard
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one message's
            if len(entries) == 1:
                # Raised in its turn, like any other fault of one message.
                entries[0].fault = error
                return
            for entry in entries:
                self._understand([entry], now)

    def _transaction(self, entries: Sequence[Entry], now: datetime) -> list[Letter]:
        self._means.ids.reserve()
        try:
            with self._database.write() as connection:
                return self._all_at_once(self._work(connection, now), entries, self.room())
        except Exception as error:
            if is_failing(error):
                raise
            # Whatever a turn raises, a refused statement included, the words are kept.
            log.warning("turn_failed", error=type(error).__name__, batch=len(entries))
            self._means.ids.reserve()
            with self._database.write() as connection:
                self._one_by_one(connection, entries, now)
            return []

    def _work(self, connection: Connection, now: datetime) -> Work:
        site = self._gazetteer_of = self._site(connection)
        return Work(connection, self._means, site, now)

    def _all_at_once(self, work: Work, entries: Sequence[Entry], room: int) -> list[Letter]:
        people = residents.load(work, (entry.incoming.openid for entry in entries))
        seen = _seen(work, [entry.incoming.key for entry in entries])
        if looking_back := {
            people[e.incoming.openid][0].id for e in entries if self._looks_back(e)
        }:
            tickets.recall(work, sorted(looking_back))
        for entry in entries:
            if entry.incoming.key in seen:
                entry.reply = _again(work, seen[entry.incoming.key])
            else:
                self._turn(work, entry, *people[entry.incoming.openid])
        letters = post.take_along(work, room)
        work.flush()
        return letters

    def _looks_back(self, entry: Entry) -> bool:
        """Whether its handler will ask for the resident's tickets."""
        if entry.heard is None:
            return False
        intents = self._engine.catalogue.intents
        handlers = {intents[item.intent].handler for item in entry.heard.items}
        return not handlers.isdisjoint(self._handlers.looks_back)

    def _one_by_one(self, connection: Connection, entries: Sequence[Entry], now: datetime) -> None:
        # In the order of openids first, so that two processes never wait for each other.
        work = self._work(connection, now)
        residents.load(work, (entry.incoming.openid for entry in entries))
        work.flush()
        for entry in entries:
            try:
                with connection.begin_nested():
                    self._all_at_once(self._work(connection, now), [entry], 0)
            except Exception as error:
                if is_failing(error):
                    raise
                log.exception("turn_failed_for_good", error=type(error).__name__)
                self._failed(self._work(connection, now), entry)

    def _turn(self, work: Work, entry: Entry, resident: Resident, talk: Conversation) -> None:
        if entry.fault is not None:
            raise entry.fault
        incoming = entry.incoming
        message = _received(work, entry, resident, talk)
        turn = Turn(
            work,
            self._engine.catalogue,
            self._handlers,
            incoming,
            resident,
            talk,
            message,
            entry.heard,
        )
        _answer(work, entry, message, converse(turn))

    def _failed(self, work: Work, entry: Entry) -> None:
        """The handler failed twice: the words stay, a person gets them, the resident is told."""
        people = residents.load(work, [entry.incoming.openid])
        resident, talk = people[entry.incoming.openid]
        message = _received(work, entry, resident, talk)
        message.state = "failed"
        if not _is_word(entry.incoming):
            entry.reply = None
            return work.flush()
        ticket = tickets.open_ticket(
            work,
            actor=SYSTEM,
            intent="other_request",
            act="report",
            level="C",
            summary="系统没能处理的话",
            message_id=message.id,
            resident_id=resident.id,
            text=message.text or f"[{entry.incoming.kind}]",
            confident=False,
        )
        message.ticket_id = ticket.id
        notices.opened(work, ticket)
        _answer(work, entry, message, f"已收到，工作人员会看（编号{ticket.number}）。")
        work.flush()


def _is_word(incoming: Incoming) -> bool:
    """Whether the resident did it to be answered; other events are the platform's own."""
    return incoming.kind != "event" or incoming.event in ("subscribe", "scan", "click")


def _received(work: Work, entry: Entry, resident: Resident, talk: Conversation) -> Message:
    """The inbox row, with all that follows from the message however its turn ends."""
    incoming = entry.incoming
    if _is_word(incoming):
        click = incoming.kind == "event" or bool(incoming.menu_id)
        residents.heard(talk, work.now, click=click)
    items = entry.heard.items if entry.heard is not None else ()
    message = work.add(
        Message,
        key=incoming.key,
        resident_id=resident.id,
        kind=incoming.event if incoming.kind == "event" else incoming.kind,
        text=mask(incoming.text[:LONGEST_TEXT]),
        understood=[[i.intent, i.decision, round(i.confidence, 3), i.act] for i in items],
        ticket_id=None,
        state="done",
        reply=None,
        sent_at=incoming.at,
        received_at=work.now,
    )
    media.received(work, message, incoming)
    return message


def _answer(work: Work, entry: Entry, message: Message, text: str | None) -> None:
    """Into the row for redeliveries; through the outbox when nobody waits for it any more."""
    entry.reply = text
    if text is None:
        return
    if entry.waiting > 0:
        message.reply = work.vault.seal(text)
        return
    message.state = "pushed"
    # Masked: the outbox is not sealed, and staff may have asked for somebody's number.
    outbox.push(work, entry.incoming.openid, "resident", "reply", mask(text))
    entry.reply = None


def _seen(work: Work, keys: Sequence[str]) -> dict[str, str | None]:
    dialect = work.connection.dialect
    known = statements.select(table_of(Message), ("key", "reply"), "key", dialect)
    return {row["key"]: row["reply"] for row in known.run(work.connection, keys)}


def _again(work: Work, sealed: str | None) -> str | None:
    return None if sealed is None else work.vault.open(sealed)
