"""The account's category templates, and what the platform checks before it sends one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.simulator.errcodes import RefusalError

_PLACE = re.compile(r"([^\n{}]*?)[::]?\s*\{\{\s*([A-Za-z_]+\d*)\.DATA\s*\}\}")
_TIME = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?"
_DATE = r"\d{4}(-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|年\d{1,2}月\d{1,2}日)"
_MOMENT = rf"({_DATE}( ?{_TIME})?|{_TIME})"
# Dropped by the platform since May 2023, whatever is sent.
DROPPED = frozenset({"first", "remark"})

RULES: dict[str, re.Pattern[str]] = {
    "thing": re.compile(r".{1,20}", re.DOTALL),
    "const": re.compile(r".{1,20}", re.DOTALL),
    "character_string": re.compile(r"[!-~ ]{1,32}"),
    "number": re.compile(r"(?=.{1,32}\Z)-?\d+(\.\d+)?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "phrase": re.compile(r"[\u3400-\u9fff]{1,5}"),
    "name": re.compile(r"[^\x00-\x7f\d]{1,10}|[A-Za-z .·'-]{1,20}"),
    "phone_number": re.compile(r"[\d+()* -]{1,17}"),
    "car_number": re.compile(r"\w[\w·*]{0,6}\w"),
    "amount": re.compile(r"[¥¥$€]?\d{1,10}(\.\d{1,2})?元?"),
    "time": re.compile(rf"{_MOMENT}( ?~ ?{_MOMENT})?"),
    "date": re.compile(rf"{_DATE}( ?{_TIME})?( ?~ ?{_DATE}( ?{_TIME})?)?"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """``keyword`` is thing1, ``kind`` thing, ``label`` the words in front of it."""

    keyword: str
    kind: str
    label: str


class Template:
    """``content`` as the platform writes it: ``事项:{{thing1.DATA}}`` a line."""

    def __init__(
        self,
        template_id: str,
        title: str,
        content: str,
        consts: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self.template_id = template_id
        self.title = title
        self.content = content
        self.consts = {name: frozenset(values) for name, values in (consts or {}).items()}
        self.fields = [
            Field(keyword, keyword.rstrip("0123456789"), label.strip())
            for label, keyword in _PLACE.findall(content)
        ]

    def fill(self, data: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Label and value of each line; 47003 for a missing, too long or ill-typed value."""
        return [
            (field.label, self._checked(field, data))
            for field in self.fields
            if field.keyword not in DROPPED
        ]

    def as_json(self) -> dict[str, str]:
        return {
            "template_id": self.template_id,
            "title": self.title,
            "primary_industry": "",
            "deputy_industry": "",
            "content": self.content,
            "example": "",
        }

    def _checked(self, field: Field, data: Mapping[str, Any]) -> str:
        given = data.get(field.keyword)
        value = given.get("value") if isinstance(given, Mapping) else None
        if not isinstance(value, str | int | float) or not str(value).strip():
            raise RefusalError(47003, f"data.{field.keyword}.value is empty.")
        text = str(value)
        rule = RULES.get(field.kind)
        listed = self.consts.get(field.keyword)
        if (rule and not rule.fullmatch(text)) or (listed is not None and text not in listed):
            raise RefusalError(47003, f"data.{field.keyword}.value invalid.")
        return text


class TemplateBook:
    """Made from ``{template_id, title, content}``, and ``consts`` where values are listed."""

    def __init__(self, templates: Iterable[Mapping[str, Any]] = ()) -> None:
        self._templates: dict[str, Template] = {}
        for entry in templates:
            self.add(**entry)

    def add(
        self,
        template_id: str,
        title: str,
        content: str,
        consts: Mapping[str, Iterable[str]] | None = None,
    ) -> Template:
        template = Template(template_id, title, content, consts)
        self._templates[template_id] = template
        return template

    def remove(self, template_id: str) -> None:
        """Deleted in the platform's console: sends to it fail from now on."""
        self._templates.pop(template_id, None)

    def get(self, template_id: object) -> Template:
        template = self._templates.get(template_id) if isinstance(template_id, str) else None
        if template is None:
            raise RefusalError(40037)
        return template

    def as_json(self) -> list[dict[str, str]]:
        return [template.as_json() for template in self._templates.values()]
