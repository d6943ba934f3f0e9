"""Who does something to a ticket, and in which capacities."""

from __future__ import annotations

from dataclasses import dataclass

from bot.models.cases import Ticket
from bot.models.office import Site
from bot.models.site import Staff


@dataclass(frozen=True, slots=True)
class Actor:
    """``roles`` are those held towards one ticket (``workflow.ACTORS``); ``name`` is what history says."""

    name: str
    roles: frozenset[str]
    staff: Staff | None = None

    @property
    def role(self) -> str:
        """One word for the history: the capacity nearest to the ticket."""
        return next((role for role in _NEAREST if role in self.roles), "staff")


_NEAREST = ("handler", "head", "lead", "desk", "callback", "supervisor", "resident", "system")

RESIDENT = Actor("居民", frozenset({"resident"}))
SYSTEM = Actor("系统", frozenset({"system"}))


def staff_actor(site: Site, person: Staff, ticket: Ticket, parent: Ticket | None = None) -> Actor:
    """The capacities of a staff member towards ``ticket`` (a child's lead is its parent's unit)."""
    roles = {role for role in person.roles if role in ("desk", "callback", "supervisor")}
    roles.add("staff")
    if ticket.lead_id is not None and person.unit_id == ticket.lead_id:
        roles.add("handler")
        if "head" in person.roles:
            roles.add("head")
    if parent is not None and person.unit_id == parent.lead_id:
        roles.add("lead")
    return Actor(person.name, frozenset(roles), person)
