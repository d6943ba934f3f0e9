"""What residents write: full reports that open a ticket, and what opens none, 60 to 40."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CORPUS = Path(__file__).parent.parent / "intents" / "corpus"
RESIDENTS = 10_000
COMPOUNDS = ("阳光小区", "和平里", "翠湖苑", "幸福家园")
# What every compound of the packaged site has.
BUILDINGS, UNITS = range(1, 7), range(1, 3)
REPORTED = ("facility_repair", "sanitation", "noise", "utilities", "greening", "pets", "parking")
OTHERS = ("praise", "help", "progress", "chitchat")
_LONGEST = 40
# Sentences with a place of their own would contradict the one put in front of them.
_OWN_PLACE = re.compile(r"小区|[里苑园弄院巷路街村]|单元|[号栋幢]楼|\d栋|市民|来电|工单|其[称反于]")
# So that the reports are plenty even when the corpus changes; with what each is about.
PLAIN = {
    "楼道灯坏了": "facility_repair",
    "电梯停了,里面没有人": "facility_repair",
    "下水道堵了,污水往外冒": "facility_repair",
    "楼下垃圾三天没人收": "sanitation",
    "单元门的门禁坏了,关不上": "facility_repair",
    "楼上半夜还在装修,吵得睡不着": "noise",
    "从今天早上起就没水了": "utilities",
    "楼前的大树快倒了,请来修剪": "greening",
    "有人遛狗不牵绳,还不捡狗粪": "pets",
    "楼下有车乱停,把单元门口堵住了": "parking",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What one resident sends; ``report`` means that a ticket is to be opened for it."""

    openid: str
    text: str
    report: bool


@dataclass(slots=True)
class Pool:
    """Reports still without a place, and what asks for no ticket."""

    reports: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @classmethod
    def from_corpus(cls, folder: Path = CORPUS) -> Pool:
        pool = cls(reports=list(PLAIN))
        for path in sorted(folder.glob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                text, intent = row["text"], row["intent"]
                if len(text) > _LONGEST or _OWN_PLACE.search(text):
                    continue
                if intent in OTHERS:
                    pool.others.append(text)
                elif intent in REPORTED and row["act"] == "report":
                    pool.reports.append(text)
        return pool

    def trials(self, seed: int, places: int = 3) -> list[tuple[str, Message]]:
        """Each sentence by a newcomer; reports once in each of several ``places``."""
        rng = random.Random(seed)
        wanted = [(text, True) for text in self.reports for _ in range(places)]
        wanted += [(text, False) for text in self.others]
        return [
            (text, Message(_openid(index), placed(text, rng) if report else text, report))
            for index, (text, report) in enumerate(wanted)
        ]

    def without(self, sentences: set[str]) -> Pool:
        return Pool(
            [text for text in self.reports if text not in sentences],
            [text for text in self.others if text not in sentences],
        )

    def stream(self, seed: int, residents: int = RESIDENTS) -> Iterator[Message]:
        """Endless and the same for the same ``seed``: of every five messages three are reports."""
        rng = random.Random(seed)
        while True:
            turns = [True, True, True, False, False]
            rng.shuffle(turns)
            for report in turns:
                openid = _openid(rng.randrange(residents))
                text = placed(rng.choice(self.reports), rng) if report else rng.choice(self.others)
                yield Message(openid, text, report)


def placed(sentence: str, rng: random.Random) -> str:
    """Compound, building and unit in front, so that no question has to be asked."""
    return f"{_any(COMPOUNDS, rng)}{_any(BUILDINGS, rng)}号楼{_any(UNITS, rng)}单元,{sentence}"


def _any(values: Sequence[object], rng: random.Random) -> object:
    return values[rng.randrange(len(values))]


def _openid(index: int) -> str:
    return f"oBench-{index:021d}"
