"""Invariant 1: of all pairs of states, each edge passes for its actors, and nothing else does.

The table is DESIGN.md's, typed in from its words and not taken from ``bot.models.workflow``.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import pytest

from bot.errors import NotAllowed, Refused
from bot.models.actor import RESIDENT, SYSTEM, Actor
from bot.services import tickets

STATES = """received need_info dispatched returned in_progress joint in_review awaiting_feedback
closed suspended referred declined invalid merged withdrawn""".split()
ACTORS = "resident system staff desk handler head lead supervisor callback".split()
ENDS = {"closed", "declined", "invalid", "merged", "withdrawn"}
NO_EDGE = {"no_such_transition", "not_for_this_actor"}

MAIN = """
-                                       received           resident system staff
received                                need_info          desk system
in_progress                             need_info          handler
need_info                               received           resident system
need_info                               in_progress        resident system
received                                dispatched         system desk
dispatched                              received           desk
received                                closed             desk system
received,returned                       declined           desk
received                                invalid            desk
received,dispatched,returned,in_progress  merged           desk
declined                                received           resident
invalid,merged                          received           desk
received,returned,in_progress           referred           desk
referred                                awaiting_feedback  desk
referred                                received           system
dispatched                              in_progress        handler system
dispatched,in_progress                  returned           handler
returned                                dispatched         desk supervisor
in_progress                             joint              handler head
joint                                   in_progress        system supervisor
in_progress                             suspended          supervisor
suspended                               in_progress        system head supervisor
in_progress                             in_review          handler
in_review                               in_progress        head
in_review                               awaiting_feedback  head
in_progress                             awaiting_feedback  handler
awaiting_feedback                       closed             resident callback system
awaiting_feedback,closed                in_progress        resident callback supervisor
awaiting_feedback,closed                received           resident callback supervisor
in_progress                             closed             supervisor
OPEN                                    withdrawn          resident
"""
CHILD = """
-                                          dispatched      system
dispatched                                 in_progress     handler system
dispatched,in_progress                     returned        handler
returned                                   dispatched      desk supervisor
in_progress                                in_review       handler
in_review                                  in_progress     lead
in_review                                  closed          lead
dispatched,returned,in_progress,in_review  withdrawn       system supervisor
"""
CHILD_STATES = "dispatched returned in_progress in_review closed withdrawn".split()

Table = dict[tuple[str, str], set[str]]


def read(table: str) -> Table:
    edges: Table = defaultdict(set)
    for line in table.strip().splitlines():
        sources, to, *actors = line.split()
        sources = sources.replace("OPEN", ",".join(s for s in STATES if s not in ENDS))
        for source in sources.split(","):
            edges[source, to] |= set(actors)
    return edges


EXPECTED = {False: read(MAIN), True: read(CHILD)}


def prepare(scene: Any, source: str, to: str, role: str, *, child: bool) -> tuple[Any, dict]:
    """A ticket in ``source`` for which every guard on the way to ``to`` agrees, and the fields."""
    columns: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    days = 0
    match source, to:
        case "need_info", "received" | "in_progress":
            columns["came_from"] = to
            days = 5 if role == "system" else 1
        case "received", "closed":
            columns["act"] = "consult"
        case _, "merged":
            fields["into"] = scene.put("received").number
        case "invalid", "received":
            days = 30
        case "awaiting_feedback" | "closed", "in_progress" | "received":
            days = 15
            if to == "received":
                columns["lead_id"] = None
        case "awaiting_feedback", "closed":
            columns["follow_ups"] = 2
            days = 7 if role == "system" else 0
        case "referred", "received":
            days = 14
        case "dispatched", "in_progress":
            columns["sign_due_at"] = scene.work.now
        case "returned", "dispatched":
            columns["returns"] = 3 if role == "supervisor" else 1
        case "suspended", "in_progress":
            columns["review_at"] = scene.work.now
        case "in_progress", "awaiting_feedback":
            columns["lead_id"] = scene.unit(UNREVIEWED)
        case "in_progress", "closed":
            columns["round"] = 2
        case "in_progress", "joint":
            columns["lead_id"] = scene.unit("佳和物业")
    ticket = scene.put(source, child=child, **columns)
    scene.later(days=days)
    return ticket, fields


UNREVIEWED = "春晓社区居委会"


@pytest.fixture
def every(all_fields: dict[str, Any]) -> dict[str, Any]:
    """Every field of every guard; children go back to a unit that is not their lead's."""
    return all_fields | {"unit": "民生服务中心"}


# --- allowed -----------------------------------------------------------------------------------


def passes(lab: Any, every: dict[str, Any], source: str, to: str, role: str, child: bool) -> None:
    with lab.scene() as scene:
        scene.work.site.unit_by_name[UNREVIEWED].review = False
        try:
            ticket, fields = prepare(scene, source, to, role, child=child)
            event = scene.go(ticket, to, role, **every | fields)
        finally:
            scene.work.site.unit_by_name[UNREVIEWED].review = True
        row, last = scene.row(ticket), scene.events(ticket)[-1]
        assert row["state"] == to
        assert row["state_at"] == scene.work.now
        assert (event.from_state, event.to_state, event.role) == (source, to, role)
        assert last.id == event.id


@pytest.mark.parametrize("child", [False, True], ids=["main", "child"])
def test_every_edge_passes_for_each_of_its_actors(
    sqlite_lab: Any, every: dict[str, Any], child: bool
) -> None:
    for (source, to), roles in EXPECTED[child].items():
        for role in sorted(roles) if source != "-" else ():
            try:
                passes(sqlite_lab, every, source, to, role, child)
            except Refused as refusal:
                pytest.fail(f"{source} → {to} by {role} was refused: {refusal}")


@pytest.mark.parametrize(
    ("source", "to", "role", "child"),
    [
        ("received", "dispatched", "desk", False),
        ("need_info", "in_progress", "resident", False),
        ("in_progress", "joint", "handler", False),
        ("joint", "in_progress", "supervisor", False),
        ("in_progress", "suspended", "supervisor", False),
        ("in_review", "awaiting_feedback", "head", False),
        ("closed", "in_progress", "resident", False),
        ("received", "merged", "desk", False),
        ("returned", "dispatched", "supervisor", True),
        ("in_review", "closed", "lead", True),
    ],
)
def test_edges_pass_on_postgresql_too(
    postgres_lab: Any, every: dict[str, Any], source: str, to: str, role: str, child: bool
) -> None:
    passes(postgres_lab, every, source, to, role, child)


# --- refused -----------------------------------------------------------------------------------


def refused(scene: Any, ticket: Any, to: str, actor: Actor, fields: dict[str, Any]) -> None:
    """No edge, said as such, and nothing in memory or on its way to the database has moved."""
    before = dict(vars(ticket))
    with pytest.raises(NotAllowed) as refusal:
        tickets.transition(scene.work, ticket, to, actor, **fields)
    assert refusal.value.code in NO_EDGE, f"refused by a guard alone: {refusal.value}"
    assert vars(ticket) == before


@pytest.mark.parametrize(
    ("source", "child"),
    [(state, False) for state in STATES] + [(state, True) for state in CHILD_STATES],
)
def test_whatever_is_no_edge_is_refused(
    sqlite_lab: Any, every: dict[str, Any], source: str, child: bool
) -> None:
    """Guards are met wherever there is an edge for somebody, so that only the actor is refused."""
    tried = 0
    for to in STATES:
        with sqlite_lab.scene() as scene:
            allowed = EXPECTED[child].get((source, to), set())
            for case in ("system", "supervisor", "resident"):
                ticket, fields = prepare(scene, source, to, case, child=child)
                before = scene.row(ticket), scene.counts()
                for role in [role for role in ACTORS if role not in allowed]:
                    refused(scene, ticket, to, scene.as_a(role), every | fields)
                    tried += 1
                assert (scene.row(ticket), scene.counts()) == before
    assert tried >= 3 * 15 * 5


def test_refusals_change_nothing_on_postgresql(postgres_lab: Any, every: dict[str, Any]) -> None:
    with postgres_lab.scene() as scene:
        for source, child in [("received", False), ("closed", False), ("in_review", True)]:
            ticket, _ = prepare(scene, source, "", "", child=child)
            before = scene.row(ticket), scene.counts()
            for to, role in itertools.product(STATES, ACTORS):
                if role not in EXPECTED[child].get((source, to), set()):
                    refused(scene, ticket, to, scene.as_a(role), every)
            assert (scene.row(ticket), scene.counts()) == before


def test_a_state_nobody_knows_is_no_edge(quick: Any, every: dict[str, Any]) -> None:
    ticket = quick.put("received")
    for nonsense in ("", "open", "RECEIVED", "none", "已办结"):
        refused(quick, ticket, nonsense, quick.as_a("desk"), every)


# --- from nothing ------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ACTORS)
def test_who_may_begin_a_ticket(quick: Any, role: str) -> None:
    for child, to in itertools.product([False, True], STATES):
        if role in EXPECTED[child].get(("-", to), set()):
            tickets.edge_between(None, to, quick.as_a(role), child=child)
        else:
            with pytest.raises(NotAllowed) as refusal:
                tickets.edge_between(None, to, quick.as_a(role), child=child)
            assert refusal.value.code in NO_EDGE


@pytest.mark.parametrize("role", ACTORS)
def test_only_those_can_open_one(scene: Any, role: str) -> None:
    before = scene.counts()
    if role in EXPECTED[False]["-", "received"]:
        ticket = scene.open(actor=scene.as_a(role), resident_id=None)
        assert (ticket.state, scene.events(ticket)[0].role) == ("received", role)
    else:
        with pytest.raises(NotAllowed):
            scene.open(actor=scene.as_a(role), resident_id=None)
        assert scene.counts() == before


def test_a_child_begins_dispatched_by_the_whistle_and_by_the_system(scene: Any) -> None:
    parent = scene.working()
    (child,) = scene.whistle(parent, "综合执法队")
    assert (child.state, child.parent_id) == ("dispatched", parent.id)
    (event,) = scene.events(child)
    assert (event.role, event.from_state, event.to_state) == ("system", None, "dispatched")


# --- real people -------------------------------------------------------------------------------


def capacities(scene: Any, person: Any, ticket: Any) -> set[str]:
    """What a staff member is to this ticket, by the words of the design."""
    roles = set(person.roles) & {"desk", "callback", "supervisor"} | {"staff"}
    if person.unit_id == ticket.lead_id:
        roles |= {"handler"} | set(person.roles) & {"head"}
    parent = tickets.parent_of(scene.work, ticket)
    if parent is not None and parent.lead_id == person.unit_id:
        roles.add("lead")
    return roles


@pytest.mark.parametrize("child", [False, True], ids=["main", "child"])
@pytest.mark.parametrize("lead", ["安居物业", "街道值班室", "综合执法队"])
def test_each_member_of_staff_has_his_own_edges_only(
    sqlite_lab: Any, every: dict[str, Any], lead: str, child: bool
) -> None:
    """Sixteen real people, with all their capacities at once, from every state to every state."""
    for source in CHILD_STATES if child else STATES:
        with sqlite_lab.scene() as scene:
            ticket = scene.put(source, child=child, lead_id=scene.unit(lead))
            for person in scene.work.site.staff.values():
                roles = capacities(scene, person, ticket)
                actor = scene.person(person.name, ticket)
                for to in STATES:
                    if not roles & EXPECTED[child].get((source, to), set()):
                        refused(scene, ticket, to, actor, every)


def test_resident_and_system_are_nothing_else() -> None:
    assert RESIDENT.roles == {"resident"}
    assert SYSTEM.roles == {"system"}
