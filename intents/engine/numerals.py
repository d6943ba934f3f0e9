"""Numbers as people write them, up to the size of a house."""

from __future__ import annotations

# 一 to 九 by position; 两 and 幺 are how 2 and 1 are spoken.
DIGITS = {ord(c): str(n) for n, c in enumerate("零一二三四五六七八九")} | {
    ord("〇"): "0",
    ord("幺"): "1",
    ord("两"): "2",
}


def read(text: str) -> str | None:
    """«12», «十二», «一百零三», «五零一» as digits; letters as capitals; None for «三四», «十几»."""
    if text.isascii():
        return text.lstrip("0") or "0" if text.isdigit() else text.upper()
    if "十" in text or "百" in text:
        return _read_units(text)
    digits = text.translate(DIGITS)
    if not digits.isdigit() or len(digits) == 2:  # two digits in a row are «three or four»
        return None
    return digits


def _read_units(text: str) -> str | None:
    total, digit = 0, 0
    for char in text:
        if char in "十百":
            total += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        elif char.translate(DIGITS).isdigit():
            digit = int(char.translate(DIGITS))
        else:
            return None
    return str(total + digit)
