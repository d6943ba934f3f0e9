"""Who asks, for whom he may act, and how a request reaches the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, TypeVar

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bot.errors import Missing
from bot.inbox import Inbox
from bot.machine import Machine
from bot.models import Ticket
from bot.models.actor import RESIDENT, SYSTEM, Actor, staff_actor
from bot.services import tickets
from bot.services.tokens import TokenCache, TokenHolder
from bot.work import Work

T = TypeVar("T")
BEARER: Final = HTTPBearer(
    auto_error=False, description="由 `tongxin token` 生成；可代表一位工作人员，或代表所有人。"
)
_NO_STAFF: Final = {
    RESIDENT.name: RESIDENT,
    "resident": RESIDENT,
    SYSTEM.name: SYSTEM,
    "system": SYSTEM,
}


class Gate:
    """One a router: reads run in the request's thread, writes in the writer's."""

    def __init__(self, machine: Machine, inbox: Inbox) -> None:
        self._machine = machine
        self._inbox = inbox
        self._tokens = TokenCache()

    def holder(
        self, given: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
    ) -> TokenHolder:
        """Whose token came with the request; 401 without a good one."""
        now = self._machine.clock.now()
        token = "" if given is None else given.credentials
        holder = self._tokens.known(token, now)
        if holder is None and token:
            with self._machine.database.read() as connection:
                holder = self._tokens.check(connection, token, now)
        if holder is None:
            raise HTTPException(401, "请带上有效的令牌", {"WWW-Authenticate": "Bearer"})
        return holder

    def read(self, job: Callable[[Work], T]) -> T:
        return self._machine.read(job)

    async def write(self, job: Callable[[Work], T]) -> T:
        """Run ``job`` in a transaction of the writer; its pushes leave at once."""
        result = await self._inbox.run(lambda: self._machine.write(job))
        self._inbox.on_commit(())
        return result


def check_right(holder: TokenHolder, name: str) -> None:
    """403 when this token may not act for ``name``; residents and the system need a full one."""
    if not holder.may_act_for(name):
        raise HTTPException(403, f"这个令牌不能代表“{name}”")


def actor_of(work: Work, ticket: Ticket, name: str) -> Actor:
    """``name`` in the capacities held towards ``ticket``; 422 for somebody who is not there."""
    if name in _NO_STAFF:
        return _NO_STAFF[name]
    person = work.site.staff_by_name.get(name)
    if person is None or not person.active:
        raise Missing("actor", f"没有叫“{name}”的工作人员")
    return staff_actor(work.site, person, ticket, tickets.parent_of(work, ticket))
