"""«我是3号楼501的»: the home is bound, so that it need not be said again."""

from __future__ import annotations

import re

from bot.conversation.turn import Answer, Reply, Turn
from bot.services.talks import Question
from handlers import clarify
from handlers.home import bind_home, home_of

# What people say around their address; more than this beside it is another matter.
_SELF = re.compile(
    "我们?|是|住在?|家|的|姓|叫|业主|租户|租客|居民|住户|地址|在|这里|你好|您好|登记|记一下|\\W"
)
LONGEST_REST = 4

WHERE = "好的，请问您住哪个小区几号楼几室？"
BOUND = "记下了：您住{home}。以后报修不用再说地址。"


def handle(turn: Turn) -> Reply:
    if _tells_more(turn):
        return clarify.handle(turn)
    return _bind(turn) or Reply(WHERE, question=Question("profile", "home", WHERE))


def _tells_more(turn: Turn) -> bool:
    """«…2单元的对讲门打不开» has an address in it and is about something else."""
    rest = turn.text
    for name in ("place", "building", "person", "phone"):
        for slot in turn.item.slots.get(name, ()):
            rest = rest.replace(slot.text, "")
    return len(_SELF.sub("", rest)) > LONGEST_REST


def answer(turn: Turn, said: Answer) -> Reply | None:
    return None if turn.understanding is None else _bind(turn)


def _bind(turn: Turn) -> Reply | None:
    """Needs a building; the compound may be the one bound already."""
    places = turn.item.slots.get("place", ())
    buildings = turn.item.slots.get("building", ())
    area = turn.site.area_by_name.get(str(places[0].value)) if places else None
    area = area or turn.site.areas.get(turn.resident.area_id or 0)
    if area is None or not buildings:
        return None
    bind_home(turn, area, buildings[0])
    home = home_of(turn)
    return Reply(BOUND.format(home=home.said if home else area.name))
