"""How characters sound, as a table for the artefact: the server needs no dictionary for it."""

from __future__ import annotations

from pypinyin import Style, pinyin

from intents.engine.features import FIRST_SOUND, LAST_SOUND, Sounds

# What many people neither hear nor say apart, nor their phones.
_ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("ing", "in"), ("eng", "en"))


def sound_of(character: str) -> str:
    """The commonest reading without tone and accent; the character itself where none is known."""
    readings = pinyin(character, style=Style.NORMAL, errors="ignore")
    return _loose(readings[0][0]) if readings else character


def _loose(reading: str) -> str:
    for strict, loose in _ALIKE:
        reading = reading.replace(strict, loose)
    return f"n{reading[1:]}" if reading.startswith("l") else reading


def load_sounds() -> Sounds:
    """For every sound its first character stands for all."""
    first: dict[str, str] = {}
    characters = [chr(code) for code in range(FIRST_SOUND, LAST_SOUND + 1)]
    spelt = "".join(first.setdefault(sound_of(one), one) for one in characters)
    readings = {r[0] for one in characters for r in pinyin(one, style=Style.NORMAL)}
    spoken = sorted(r for r in readings if r.isascii() and r.isalpha() and _loose(r) in first)
    return Sounds(spelt, [reading + first[_loose(reading)] for reading in spoken])
