"""The verbs on a ticket: open, transition, and what can be noted on it without changing its state.

Every change of a ticket goes through ``record``, which writes the event that replays it. Services
never commit: the caller's transaction holds the ticket, its history and its pushes together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlmodel import col

from bot import statements
from bot.errors import NotAllowed, NotFound
from bot.models import Event, Resident, Supporter, Ticket
from bot.models.actor import SYSTEM, Actor
from bot.models.workflow import CHILD_STATES, EDGES, ENDED, STATES, Edge
from bot.services import clocks, notices
from bot.services.guards import GUARDS, Move, whistled
from bot.services.outbox import supporters
from bot.work import Work

# Ids come in blocks per process, so they tell order only within one instant.
_NEWEST = (col(Ticket.created_at).desc(), col(Ticket.id).desc())
_LATEST = """
    SELECT id FROM (
        SELECT id, row_number() OVER (
            PARTITION BY resident_id ORDER BY created_at DESC, id DESC
        ) AS place FROM ticket WHERE {among}
    ) AS ranked WHERE place <= {limit}
"""


def open_ticket(
    work: Work,
    *,
    actor: Actor,
    intent: str,
    act: str,
    level: str,
    summary: str,
    message_id: int | None = None,
    **columns: Any,
) -> Ticket:
    """A ticket in ``received`` with its number and the resident's clock running."""
    edge_between(None, "received", actor, child=False)
    changes: dict[str, Any] = {"state": "received", "level": level, "round": 1}
    changes |= clocks.on_open(work.site, level, work.now)
    for flag in ("urgent", "sensitive", "confident"):
        if flag in columns:
            changes[flag] = columns.pop(flag)
    ticket = work.add(
        Ticket,
        number=work.next_number(),
        intent=intent,
        act=act,
        summary=summary,
        created_at=work.now,
        state_at=work.now,
        watched_at=work.now,
        **columns,
    )
    record(work, ticket, "opened", actor, to="received", data={"message": message_id}, **changes)
    if ticket.resident_id in work.recalled:
        work.recalled[ticket.resident_id].insert(0, ticket)
    return ticket


def transition(work: Work, ticket: Ticket, to: str, actor: Actor, **fields: Any) -> Event:
    """Take ``ticket`` to ``to`` if there is such an edge for this actor and its guards agree.

    ``fields`` are what the edge's guards ask for; ``tell=False`` keeps the resident's push back
    when the reply of this very turn says it. Raises NotAllowed (409) or Missing (422).
    """
    edge = edge_for(ticket, to, actor)
    move = Move(work, ticket, to, actor, fields)
    changes: dict[str, Any] = {}
    for name in edge.guards:
        changes |= GUARDS[name](move)
    changes |= _clock_changes(move, edge, changes)
    came_from = ticket.state
    data = {k: v for k, v in fields.items() if k != "tell" and v not in (None, "", [])}
    event = record(work, ticket, "transition", actor, to=to, data=data, **changes)
    _cascade(move, came_from)
    notices.on_transition(work, ticket, came_from, event, tell=bool(fields.get("tell", True)))
    return event


def edge_for(ticket: Ticket, to: str, actor: Actor) -> Edge:
    """The edge this actor may use; NotAllowed says whether there is none at all or not for him."""
    return edge_between(ticket.state, to, actor, child=ticket.is_child)


def edge_between(state: str | None, to: str, actor: Actor, *, child: bool) -> Edge:
    """The same for a ticket in ``state``; None is one not yet opened."""
    kind = "child" if child else "main"
    edges = [edge for edge in EDGES.get((state, to), ()) if edge.only in ("", kind)]
    if not edges or (child and to not in CHILD_STATES):
        said = f"{STATES[state] if state else '新建'}的事项不能变为{STATES.get(to, to)}"
        raise NotAllowed("no_such_transition", said)
    for edge in edges:
        if edge.actors & actor.roles:
            return edge
    raise NotAllowed("not_for_this_actor", f"{actor.name}不能把这件事变为{STATES[to]}")


def record(
    work: Work,
    ticket: Ticket,
    kind: str,
    actor: Actor,
    *,
    to: str | None = None,
    data: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Event:
    """Apply ``changes`` and write the event that says so: the only place that changes a ticket."""
    before = None if kind == "opened" else ticket.state
    if to is not None:
        changes["state"] = to
        changes["state_at"] = work.now
    if actor.staff is not None and ticket.confirmed_at is None and ticket.urgent:
        changes["confirmed_at"] = work.now
    for name, value in changes.items():
        setattr(ticket, name, value)
    ticket.watch_at = clocks.next_watch(work.site, ticket)
    return work.add(
        Event,
        ticket_id=ticket.id,
        at=work.now,
        kind=kind,
        role=actor.role,
        actor=actor.name,
        staff_id=actor.staff.id if actor.staff else None,
        from_state=before,
        to_state=to,
        data=dict(data or {}),
        changes={name: _plain(value) for name, value in changes.items()},
    )


def _plain(value: Any) -> Any:
    return _iso(value) if isinstance(value, datetime) else value


# All tickets of a batch share the instant they were opened at, and most of their limits.
_iso = lru_cache(1024)(datetime.isoformat)


def replay(events: Iterable[Event]) -> dict[str, Any]:
    """The columns a ticket has after these events, in order; instants as ISO 8601 texts."""
    columns: dict[str, Any] = {}
    for event in events:
        columns |= event.changes
    return columns


def _clock_changes(move: Move, edge: Edge, changes: Mapping[str, Any]) -> dict[str, Any]:
    site, ticket, now, to = move.work.site, move.ticket, move.work.now, move.to
    out: dict[str, Any] = {}
    if ticket.state in clocks.PAUSED:
        out |= clocks.on_resume(site, ticket, now)
    if to in clocks.PAUSED:
        out |= clocks.on_pause(site, ticket, now)
    if edge.redo:
        led = changes.get("lead_id", ticket.lead_id) is not None
        out |= clocks.on_redo(site, now, led=led) | {"round": ticket.round + 1}
    elif to == "dispatched":
        out |= clocks.on_dispatch(site, ticket, now)
    elif to == "received":
        out |= _back_to_desk(ticket)
    elif to == "in_progress" and ticket.state == "dispatched":
        out["signed_at"] = now
    elif to in ("in_review", "awaiting_feedback") and ticket.finished_at is None:
        out["finished_at"] = now
    if ticket.state == "in_review" and to == "in_progress":
        # The work was not accepted: the unit's clock counts on as if it had never been handed in.
        out["finished_at"] = None
    if to == "referred":
        out["unit_due_at"] = None
    if to == "awaiting_feedback":
        out["follow_ups"] = ticket.follow_ups + 1
    if to in ENDED:
        out["closed_at"] = now
    elif ticket.state in ENDED:
        out["closed_at"] = None
    return out


def _back_to_desk(ticket: Ticket) -> dict[str, Any]:
    if ticket.state == "need_info":
        return {}
    unit_wise = ("dispatched_at", "signed_at", "contacted_at", "sign_due_at", "contact_due_at")
    return {
        "lead_id": None,
        "assignee_id": None,
        "merged_id": None,
        "card": None,
        "unit_due_at": None,
    } | dict.fromkeys(unit_wise)


def _cascade(move: Move, came_from: str) -> None:
    """What one ticket's step does to others: children called or withdrawn, supporters taken along."""
    work, ticket, actor = move.work, move.ticket, move.actor
    if move.to == "joint":
        for name in whistled(move.fields):
            _open_child(work, ticket, work.site.unit_by_name[name].id, move.given("text"))
    if came_from == "joint" and move.to in ("in_progress", "withdrawn"):
        for child in children(work, ticket):
            if child.is_open:
                transition(work, child, "withdrawn", SYSTEM)
    if move.to == "merged" and ticket.merged_id is not None:
        into = work.need(Ticket, ticket.merged_id)
        for resident_id in [ticket.resident_id, *supporters(work, ticket)]:
            if resident_id is not None:
                support(work, into, resident_id, actor)
    if ticket.is_child and move.to in ("closed", "withdrawn"):
        _parent_goes_on(work, ticket)


def _open_child(work: Work, parent: Ticket, unit_id: int, text: str) -> Ticket:
    site = work.site
    members = site.staff_of_unit.get(unit_id, ())
    child = work.add(
        Ticket,
        number=work.next_number(),
        intent=parent.intent,
        act=parent.act,
        summary=parent.summary,
        text=text or parent.text,
        area_id=parent.area_id,
        level=parent.level,
        parent_id=parent.id,
        created_at=work.now,
        state_at=work.now,
        watched_at=work.now,
    )
    clock = clocks.on_dispatch(site, child, work.now)
    changes = {
        "state": "dispatched",
        "level": parent.level,
        "round": 1,
        "urgent": parent.urgent,
        "lead_id": unit_id,
        "assignee_id": members[0].id if members else None,
        "due_at": clock["unit_due_at"],
    }
    event = record(work, child, "opened", SYSTEM, to="dispatched", **(clock | changes))
    notices.on_transition(work, child, None, event)
    return child


def _parent_goes_on(work: Work, child: Ticket) -> None:
    parent = work.need(Ticket, child.parent_id)
    if parent.state == "joint" and not any(kid.is_open for kid in children(work, parent)):
        transition(work, parent, "in_progress", SYSTEM)


def children(work: Work, ticket: Ticket) -> Sequence[Ticket]:
    return work.find(Ticket, col(Ticket.parent_id) == ticket.id, order=[col(Ticket.id)], limit=100)


def parent_of(work: Work, ticket: Ticket) -> Ticket | None:
    return work.get(Ticket, ticket.parent_id)


def by_number(work: Work, number: str) -> Ticket:
    found = work.find(Ticket, col(Ticket.number) == number.upper(), limit=1, lock=True)
    if not found:
        raise NotFound(f"no ticket {number}", told=f"没有编号{number}的事项")
    return found[0]


def of_resident(work: Work, resident: Resident, *, limit: int = 5) -> list[Ticket]:
    """The latest matters of a resident, his own and those he joined, newest first."""
    if resident.id in work.recalled:
        return work.recalled[resident.id][:limit]
    joined = work.find(Supporter, col(Supporter.resident_id) == resident.id, limit=limit)
    mine = col(Ticket.resident_id) == resident.id
    wanted = mine | col(Ticket.id).in_([row.ticket_id for row in joined]) if joined else mine
    return work.find(Ticket, wanted, order=_NEWEST, limit=limit, lock=True)


def recall(work: Work, resident_ids: Sequence[int], *, limit: int = 5) -> None:
    """What ``of_resident`` will be asked for in this batch, in one query for all."""
    joined = work.fetch(Supporter, "resident_id", resident_ids)
    alone = sorted(set(resident_ids) - {row.resident_id for row in joined})
    work.recalled.update({resident_id: [] for resident_id in alone})
    dialect = work.connection.dialect
    latest = _LATEST.format(among=statements.among("resident_id", dialect), limit=limit)
    found = work.connection.exec_driver_sql(latest, (statements.listed(alone, dialect),))
    mine = work.fetch(Ticket, "id", found.scalars().all(), lock=True)
    for ticket in sorted(mine, key=lambda ticket: (ticket.created_at, ticket.id), reverse=True):
        if ticket.resident_id is not None:
            work.recalled[ticket.resident_id].append(ticket)


def support(work: Work, ticket: Ticket, resident_id: int, actor: Actor) -> bool:
    """Join a resident to a ticket (附议); False when he is on it already."""
    if resident_id == ticket.resident_id or resident_id in supporters(work, ticket):
        return False
    work.add(Supporter, ticket_id=ticket.id, resident_id=resident_id, created_at=work.now)
    work.recalled.pop(resident_id, None)
    record(work, ticket, "supported", actor, supporters=ticket.supporters + 1)
    return True


def contact_logged(work: Work, ticket: Ticket, actor: Actor) -> Event:
    """The unit has spoken with the resident: stops the first-contact clock."""
    if "handler" not in actor.roles:
        raise NotAllowed("not_for_this_actor", "只有承办单位可以登记联系")
    if ticket.state not in ("in_progress", "joint"):
        raise NotAllowed("not_signed", "请先接单")
    first: dict[str, Any] = {} if ticket.contacted_at else {"contacted_at": work.now}
    return record(work, ticket, "contacted", actor, **first)


def urge(work: Work, ticket: Ticket, actor: Actor) -> int:
    """Somebody presses: the one in charge and the head are told. Returns how many could be reached."""
    record(work, ticket, "urged", actor)
    return notices.urged(work, ticket)
