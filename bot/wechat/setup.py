"""What is set up on the account once: its menu, and the QR codes that hang in the stairwells."""

from __future__ import annotations

from pathlib import Path

import segno

from bot.errors import NotFound
from bot.models.office import Site
from bot.wechat.client import WeChatClient
from bot.wechat.sdk import Button

# The keys are answered by handlers/event.py.
MENU: list[Button] = [
    {"type": "click", "name": "我要反映", "key": "report"},
    {"type": "click", "name": "查进度", "key": "progress"},
    {
        "name": "帮助",
        "sub_button": [
            {"type": "click", "name": "能做什么", "key": "talk"},
            {"type": "click", "name": "找工作人员", "key": "human"},
        ],
    },
]


def scene(site: Site, name: str) -> str:
    """What a scan of this area's code brings back; see ``handlers.event``."""
    area = site.area_by_name.get(name)
    if area is None:
        known = "、".join(site.area_by_name)
        raise NotFound(f"no area {name}", told=f"没有叫“{name}”的区域。已有:{known}")
    return f"area-{area.id}"


async def qrcode(client: WeChatClient, scene: str, out: Path) -> str:
    """A permanent code of ``scene`` saved at ``out``; returns it as text for the terminal."""
    made = segno.make((await client.create_qrcode(scene)).url, error="m")
    out.parent.mkdir(parents=True, exist_ok=True)
    made.save(str(out), scale=12, border=4)
    rows = [bytes(row) for row in made.matrix_iter(border=2)]
    rows += [bytes(len(rows[0]))] * (len(rows) % 2)
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    return "\n".join(
        "".join(blocks[bool(a), bool(b)] for a, b in zip(top, bottom, strict=True))
        for top, bottom in zip(rows[::2], rows[1::2], strict=True)
    )
