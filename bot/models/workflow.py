"""The state machine of a ticket, whole: which edge exists, for whom, and under which guard.

This one table is what services obey, the API reports and the n² test walks. A guard is named here
and written in ``bot.services.guards``; it may need fields (HTTP 422) or forbid (HTTP 409).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

STATES: Final[Mapping[str, str]] = {
    "received": "待受理",
    "need_info": "待补充",
    "dispatched": "已派单",
    "returned": "退单待审",
    "in_progress": "处理中",
    "joint": "待协办",
    "in_review": "待审核",
    "awaiting_feedback": "待回访",
    "closed": "已办结",
    "suspended": "挂账",
    "referred": "已转办",
    "declined": "不予受理",
    "invalid": "无效",
    "merged": "已并案",
    "withdrawn": "已撤回",
}
ENDED: Final = frozenset({"closed", "declined", "invalid", "merged", "withdrawn"})
OPEN: Final = frozenset(STATES) - ENDED
CHILD_STATES: Final = frozenset(
    {"dispatched", "returned", "in_progress", "in_review", "closed", "withdrawn"}
)
RESULTS: Final[Mapping[str, str]] = {
    "solved": "已解决",
    "partly": "部分解决",
    "unsolved": "未能解决",
    "explained": "已解释说明",
    "answered": "已答复",
}
# handler: someone of the lead unit. head: its head. lead: the lead unit of a child's parent.
ACTORS: Final = (
    "resident",
    "system",
    "staff",
    "desk",
    "handler",
    "head",
    "lead",
    "supervisor",
    "callback",
)


@dataclass(frozen=True, slots=True)
class Edge:
    """Who may go this way (any one of ``actors``), checked by the named ``guards``.

    ``only`` limits the edge to «child» or «main» tickets. A redo edge starts a new ``round``.
    """

    actors: frozenset[str]
    guards: tuple[str, ...] = ()
    only: str = ""
    redo: bool = False


def _edge(actors: str, *guards: str, only: str = "main", redo: bool = False) -> Edge:
    return Edge(frozenset(actors.split()), guards, only, redo)


Pair = tuple[str | None, str]

EDGES: Final[Mapping[Pair, tuple[Edge, ...]]] = {
    (None, "received"): (_edge("resident system staff"),),
    (None, "dispatched"): (_edge("system", "unit", only="child"),),
    ("received", "need_info"): (_edge("desk system", "question", "two_rounds"),),
    ("in_progress", "need_info"): (_edge("handler", "question"),),
    ("need_info", "received"): (
        _edge("resident", "came_from"),
        _edge("system", "came_from", "silent_5_days"),
    ),
    ("need_info", "in_progress"): (
        _edge("resident", "came_from"),
        _edge("system", "came_from", "silent_5_days"),
    ),
    ("received", "dispatched"): (_edge("desk", "unit"), _edge("system", "unit", "confident")),
    ("dispatched", "received"): (_edge("desk"),),
    ("received", "closed"): (
        _edge("desk", "text", "question_asked"),
        _edge("system", "text", "question_asked", "source"),
    ),
    ("received", "declined"): (_edge("desk", "reason"),),
    ("returned", "declined"): (_edge("desk", "reason"),),
    ("received", "invalid"): (_edge("desk"),),
    **{
        (state, "merged"): (_edge("desk", "same_matter"),)
        for state in ("received", "dispatched", "returned", "in_progress")
    },
    ("declined", "received"): (_edge("resident", "first_appeal"),),
    ("invalid", "received"): (_edge("desk", "within_30_days"),),
    ("merged", "received"): (_edge("desk"),),
    **{
        (state, "referred"): (_edge("desk", "outside"),)
        for state in ("received", "returned", "in_progress")
    },
    ("referred", "awaiting_feedback"): (_edge("desk", "text"),),
    ("referred", "received"): (_edge("system", "silent_14_days"),),
    ("dispatched", "in_progress"): (
        _edge("handler", only=""),
        _edge("system", "sign_limit", only=""),
    ),
    ("dispatched", "returned"): (_edge("handler", "reason", "returnable", only=""),),
    ("in_progress", "returned"): (_edge("handler", "reason", "returnable", only=""),),
    ("returned", "dispatched"): (_edge("desk supervisor", "unit", "third_return", only=""),),
    ("in_progress", "joint"): (_edge("handler head", "units"),),
    ("joint", "in_progress"): (_edge("system", "no_open_child"), _edge("supervisor")),
    ("in_progress", "suspended"): (_edge("supervisor", "plan"),),
    ("suspended", "in_progress"): (_edge("head supervisor"), _edge("system", "review_date")),
    ("in_progress", "in_review"): (
        _edge("handler", "result", "evidence", "no_open_child", only=""),
    ),
    ("in_review", "in_progress"): (
        _edge("head", "reason", only="main"),
        _edge("lead", "reason", only="child"),
    ),
    ("in_review", "awaiting_feedback"): (_edge("head", "real_answer"),),
    ("in_progress", "awaiting_feedback"): (
        _edge("handler", "review_off", "result", "evidence", "no_open_child", "real_answer"),
    ),
    ("in_review", "closed"): (_edge("lead", only="child"),),
    ("awaiting_feedback", "closed"): (
        _edge("resident"),
        _edge("callback", "not_own"),
        _edge("system", "silent_7_days"),
    ),
    **{
        (state, "in_progress"): (
            _edge("resident callback supervisor", "within_15_days", "has_lead", redo=True),
        )
        for state in ("awaiting_feedback", "closed")
    },
    **{
        (state, "received"): (
            _edge("resident callback supervisor", "within_15_days", "no_lead", redo=True),
        )
        for state in ("awaiting_feedback", "closed")
    },
    ("in_progress", "closed"): (_edge("supervisor", "redone", "reason", "not_own"),),
    **{
        (state, "withdrawn"): (
            _edge("resident", "alone_and_safe"),
            *([_edge("supervisor system", only="child")] if state in CHILD_STATES else []),
        )
        for state in OPEN
    },
}


def exits(state: str | None) -> tuple[str, ...]:
    """The states a ticket in ``state`` may go to, for somebody."""
    return tuple(target for source, target in EDGES if source == state)
