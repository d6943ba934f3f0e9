"""What people may ask, as data: one TOML file an intent, loaded into frozen values.

The file's name is the intent's id. Slots carry the question that asks for them; matters are
sub-topics with their own words and, where it differs, their own deadline class and slots.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from intents.engine.normalise import fold
from intents.engine.wordlist import WordList
from intents.understanding import ACTS, SLOT_NAMES, Act

PACKAGED = Path(__file__).parent.parent / "catalogue"
GROUPS = ("service", "programme", "conversation")
DEADLINE_CLASSES = tuple("ABCDEFGH")
# These acts ask for nothing to be done somewhere, so nothing needs to be asked back.
_ACTS_WITHOUT_NEEDS = ("consult", "suggest", "praise", "none")


class CatalogueError(ValueError):
    """A catalogue file is wrong; the message names the file and the field."""


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """A detail a ticket may need, with the question that asks for it and a plainer one."""

    name: str
    required: bool
    question: str
    simpler: str


@dataclass(frozen=True, slots=True)
class Matter:
    """A sub-topic. Without words it is what remains when no other matter is named; ``hints`` are
    words that suggest it and often mean something else.

    ``deadline_class`` None: the intent's. ``needs`` None: the intent's required slots.
    """

    id: str
    title: str
    words: tuple[str, ...]
    deadline_class: str | None = None
    needs: tuple[str, ...] | None = None
    advice: str = ""
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A training sentence that lives with its intent."""

    text: str
    act: Act


@dataclass(frozen=True)
class Intent:
    """Everything a subdistrict may change about one topic."""

    id: str
    title: str
    group: str
    handler: str
    deadline_class: str
    sensitive: bool
    act: Act
    slots: tuple[SlotSpec, ...] = ()
    matters: tuple[Matter, ...] = ()
    keywords: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()

    def slot(self, name: str) -> SlotSpec | None:
        """How to ask for ``name``, if this intent knows it."""
        return next((spec for spec in self.slots if spec.name == name), None)

    def needs(self, act: Act, matter: Matter | None = None) -> tuple[SlotSpec, ...]:
        """The slots without which such a request cannot be worked on, in the order to ask."""
        if act in _ACTS_WITHOUT_NEEDS:
            return ()
        if matter is None or matter.needs is None:
            return tuple(spec for spec in self.slots if spec.required)
        return tuple(spec for spec in self.slots if spec.name in matter.needs)

    def class_for(self, act: Act, matter: Matter | None = None) -> str:
        """The deadline class: danger A, then questions C and suggestions H, then the matter's."""
        if self.id == "emergency":
            return "A"
        if act in ("consult", "suggest"):
            return "C" if act == "consult" else "H"
        return (matter and matter.deadline_class) or self.deadline_class

    @cached_property
    def _words(self) -> WordList[Matter]:
        return WordList(
            (word, matter) for matter in self.matters for word in matter.words + matter.hints
        )

    def matter(self, text: str) -> Matter | None:
        """The sub-topic that ``text`` names with its longest word, else the one without words."""
        hits = self._words.find(fold(text))
        if hits:
            return max(hits, key=lambda hit: hit.weight).value
        return next((matter for matter in self.matters if not matter.words), None)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All intents of a site by id."""

    intents: Mapping[str, Intent]

    @classmethod
    def load(cls, extra: Path | None = None) -> Catalogue:
        """The packaged intents, replaced and added to by the files of ``extra``."""
        paths = sorted(PACKAGED.glob("*.toml"))
        if extra is not None:
            if not extra.is_dir():
                raise CatalogueError(f"{extra}: no such folder")
            paths += sorted(extra.glob("*.toml"))
        return cls({path.stem: load_intent(path) for path in paths})

    def matter(self, intent_id: str, text: str) -> Matter | None:
        """The sub-topic of ``intent_id`` that ``text`` names, if any."""
        return self.intents[intent_id].matter(text)


def load_intent(path: Path) -> Intent:
    """One catalogue file, checked; raises ``CatalogueError`` naming file and field."""
    try:
        fields = _Table(path.name, "", tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    slots = tuple(_slot(table) for table in fields.tables("slots"))
    names = [slot.name for slot in slots]
    intent = Intent(
        id=path.stem,
        title=fields.text("title"),
        group=fields.one_of("group", GROUPS),
        handler=fields.text("handler", "report"),
        deadline_class=fields.one_of("class", DEADLINE_CLASSES),
        sensitive=fields.flag("sensitive"),
        act=fields.one_of("act", ACTS),
        slots=slots,
        matters=tuple(_matter(table, names) for table in fields.tables("matters")),
        keywords=fields.texts("keywords"),
        examples=tuple(_example(table) for table in fields.tables("examples")),
    )
    fields.nothing_else()
    return intent


def _slot(table: _Table) -> SlotSpec:
    slot = SlotSpec(
        name=table.one_of("name", SLOT_NAMES),
        required=table.flag("required"),
        question=table.text("question"),
        simpler=table.text("simpler"),
    )
    table.nothing_else()
    return slot


def _matter(table: _Table, slot_names: Sequence[str]) -> Matter:
    title = table.text("title")
    needs = table.texts("needs", None)
    matter = Matter(
        id=table.text("id", title),
        title=title,
        words=table.texts("words"),
        deadline_class=table.one_of("class", DEADLINE_CLASSES, None),
        needs=needs,
        advice=table.text("advice", ""),
        hints=table.texts("hints"),
    )
    for name in needs or ():
        if name not in slot_names:
            raise table.wrong("needs", f"{name!r} is not among the slots")
    table.nothing_else()
    return matter


def _example(table: _Table) -> Example:
    example = Example(table.text("text"), table.one_of("act", ACTS))
    table.nothing_else()
    return example


_REQUIRED: Any = object()


class _Table:
    """One TOML table that knows where it stands, so that every complaint can say it."""

    def __init__(self, file: str, at: str, values: Mapping[str, Any]) -> None:
        self._file, self._at, self._left = file, at, dict(values)

    def wrong(self, field: str, problem: str) -> CatalogueError:
        return CatalogueError(f"{self._file}: {self._at}{field}: {problem}")

    def _take(self, field: str, kind: type, default: Any) -> Any:
        value = self._left.pop(field, default)
        if value is _REQUIRED:
            raise self.wrong(field, "is missing")
        if value is not default and not isinstance(value, kind):
            raise self.wrong(field, f"must be a {kind.__name__}, not {value!r}")
        return value

    def text(self, field: str, default: Any = _REQUIRED) -> str:
        value: str = self._take(field, str, default)
        if default is _REQUIRED and not value.strip():
            raise self.wrong(field, "is empty")
        return value

    def flag(self, field: str) -> bool:
        return bool(self._take(field, bool, False))

    def texts(self, field: str, default: Any = ()) -> Any:
        values = self._take(field, list, default)
        if not all(isinstance(value, str) and value.strip() for value in values or ()):
            raise self.wrong(field, "must hold texts only, none empty")
        return None if values is None else tuple(values)

    def one_of(self, field: str, allowed: Iterable[str], default: Any = _REQUIRED) -> Any:
        value = self._take(field, str, default)
        if value is not default and value not in allowed:
            raise self.wrong(field, f"{value!r} is not one of {', '.join(allowed)}")
        return value

    def tables(self, field: str) -> list[_Table]:
        rows = self._take(field, list, [])
        if not all(isinstance(row, dict) for row in rows):
            raise self.wrong(field, "must be written as [[tables]]")
        return [_Table(self._file, f"{field}[{i}].", row) for i, row in enumerate(rows)]

    def nothing_else(self) -> None:
        if self._left:
            raise self.wrong(next(iter(self._left)), "is not a field")
