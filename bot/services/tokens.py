"""Bearer tokens of the API: shown once when they are made, kept as a hash, withdrawn by their note."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from bot.errors import NotFound
from bot.models import Staff, Token
from bot.work import Work, table_of

# Recognised by scanners for leaked secrets, and by people who find one in a log.
PREFIX: Final = "tongxin_"
BYTES: Final = 32
# A withdrawn token is good for at most this long in the other processes.
KEPT: Final = timedelta(seconds=10)
MOST_KEPT: Final = 1000

_TOKEN, _STAFF = table_of(Token), table_of(Staff)


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """``staff`` is the one person this token acts for; None may act for everyone."""

    id: int
    note: str
    staff: str | None

    def may_act_for(self, name: str) -> bool:
        return self.staff is None or self.staff == name


def issue(work: Work, note: str, staff_name: str | None) -> str:
    """A new token, for one staff member or for everyone; nobody can read it again later."""
    token = PREFIX + secrets.token_urlsafe(BYTES)
    staff_id = None if staff_name is None else _active(work, staff_name)
    work.add(Token, hash=_hash(token), note=note, staff_id=staff_id, created_at=work.now)
    return token


def revoke(work: Work, note: str) -> int:
    """Withdraw every token made with this note; returns how many there were."""
    work.flush()
    return work.connection.execute(delete(_TOKEN).where(_TOKEN.c.note == note)).rowcount


def check(connection: Connection, token: str) -> TokenHolder | None:
    """Who holds ``token``; None for an unknown one, and for one of somebody who has left."""
    return _look_up(connection, _hash(token))


class TokenCache:
    """``check`` for a server: a busy client costs one query in ``KEPT``, not one a request.

    Only good tokens are kept, so that guessing fills nothing.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[datetime, TokenHolder]] = {}

    def known(self, token: str, now: datetime) -> TokenHolder | None:
        """The holder, if he was checked lately."""
        since, holder = self._known.get(_hash(token), (None, None))
        return holder if since is not None and timedelta() <= now - since < KEPT else None

    def check(self, connection: Connection, token: str, now: datetime) -> TokenHolder | None:
        """The holder as the database has him, remembered for a while."""
        mark = _hash(token)
        holder = _look_up(connection, mark)
        if holder is None:
            self._known.pop(mark, None)
            return None
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[mark] = (now, holder)
        return holder


def _active(work: Work, name: str) -> int:
    person = work.site.staff_by_name.get(name)
    if person is None or not person.active:
        raise NotFound(f"no active staff member {name}", told=f"没有“{name}”这位工作人员")
    return person.id


def _look_up(connection: Connection, mark: str) -> TokenHolder | None:
    """Found by its hash, so that no comparison tells how near a guess was."""
    query = (
        select(_TOKEN.c.id, _TOKEN.c.note, _TOKEN.c.staff_id, _STAFF.c.name, _STAFF.c.active)
        .select_from(_TOKEN.outerjoin(_STAFF, _STAFF.c.id == _TOKEN.c.staff_id))
        .where(_TOKEN.c.hash == mark)
    )
    row = connection.execute(query).first()
    if row is None or (row.staff_id is not None and not row.active):
        return None
    return TokenHolder(row.id, row.note, row.name)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
