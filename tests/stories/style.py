"""What every answer must be, whatever it says: short, whole, and free of our own words."""

from __future__ import annotations

import re

from bot.models.workflow import EDGES, RESULTS, STATES

LONGEST_SENTENCE = 80
LONGEST_REPLY = 2048
_LINK = re.compile(r"<a [^>]*>(.*?)</a>", re.DOTALL)
_NUMBER = re.compile(r"T\d{8}-\d{4,}")
_OURS = {*STATES, *RESULTS} | {
    guard for edges in EDGES.values() for e in edges for guard in e.guards
}
_BROKEN = re.compile(
    r"None|undefined|null|nan|Error|Traceback|\{\w*\}|（编号）|，，|。。|：。|，。", re.IGNORECASE
)
_LATIN = re.compile(r"[A-Za-z_]{2,}")


def visible(text: str) -> str:
    """As the phone shows it: of a link, its words."""
    return _LINK.sub(r"\1", text)


def faults(text: str, *, said: str, resident: bool) -> list[str]:
    """What is wrong with the style of a message; ``said`` is the talk so far, which may be quoted."""
    shown = visible(text)
    found = [f"有坏掉的字：{m.group()}" for m in _BROKEN.finditer(shown)]
    if len(text.encode()) > LONGEST_REPLY:
        found.append(f"{len(text.encode())} 字节，超过 {LONGEST_REPLY}")
    if not resident:
        return found
    for sentence in re.split(r"[。！？\n]", shown):
        if len(sentence) > LONGEST_SENTENCE:
            found.append(f"一句话 {len(sentence)} 个字：{sentence}")
    words = _LATIN.findall(_NUMBER.sub("", shown))
    found += [f"居民看到了英文：{word}" for word in words if word in _OURS or word not in said]
    return found
