"""Events of the platform: following, leaving, scanning, tapping the menu."""

from __future__ import annotations

from bot.conversation.turn import Reply, Turn
from bot.services import outbox
from handlers.help import THREE_THINGS
from handlers.home import bind_home, home_of
from intents.understanding import Slot

# Keys of the menu (``tongxin menu push``) and what a tap on them says.
MENU = {
    "report": "您说吧：什么事、在哪里。比如“阳光小区3号楼2单元灯不亮”。",
    "talk": f"我能帮您：\n{THREE_THINGS}",
}


def handle(turn: Turn) -> Reply:
    event = turn.incoming.event
    if event == "subscribe":
        turn.resident.subscribed = True
        return _welcome(turn)
    if event == "unsubscribe":
        turn.resident.subscribed = False
        return Reply(None, keep=True)
    if event == "scan":
        return _scanned(turn)
    if event == "click":
        return _tapped(turn)
    if event == "templatesendjobfinish":
        _arrived(turn)
    return Reply(None, keep=True)


def _welcome(turn: Turn) -> Reply:
    bound = _bind(turn, turn.incoming.event_key.removeprefix("qrscene_"))
    where = f"您在{bound}。" if bound else ""
    return Reply(f"欢迎您！这里是{turn.site.name}。{where}\n{THREE_THINGS}", keep=True)


def _scanned(turn: Turn) -> Reply:
    bound = _bind(turn, turn.incoming.event_key)
    if not bound:
        return Reply(None, keep=True)
    return Reply(f"记下了，您在{bound}。有什么事直接说。", keep=True)


def _bind(turn: Turn, scene: str) -> str:
    """A building's or compound's QR code binds the area: «area-12», or «area-12-3号楼»."""
    kind, _, rest = scene.partition("-")
    area_id, _, building = rest.partition("-")
    area = turn.site.areas.get(int(area_id)) if kind == "area" and area_id.isdecimal() else None
    if area is None:
        return ""
    bound, home = f"{area.name}{building}", home_of(turn)
    if home is None or not home.said.startswith(bound):
        turn.resident.home = ""
        bind_home(turn, area, Slot(building, 0, None) if building else None)
    return bound


def _tapped(turn: Turn) -> Reply:
    key = turn.incoming.event_key
    if key == "progress":
        return turn.handlers.handle["progress"](turn)
    if key == "human":
        return turn.handlers.handle["human"](turn)
    return Reply(MENU.get(key), keep=True)


def _arrived(turn: Turn) -> None:
    """The platform's word on a template message: not every accepted one reaches its reader."""
    status = str(turn.incoming.fields.get("Status", ""))
    if status and status != "success":
        outbox.not_delivered(turn.work, str(turn.incoming.fields.get("MsgID", "")), status)
