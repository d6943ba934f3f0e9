"""The unit of work: what a transaction adds and changes, written with about one statement a table.

Table models are SQLModel classes, but building one costs some 400 µs. A ``Work`` hands out plain
twins of them (same attributes, methods and defaults, 2 µs): to callers and to mypy they are the
models. See docs/decisions/0001-plain-rows.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, SQLColumnExpression, Table, TextClause, select
from sqlmodel import SQLModel

from bot import statements
from bot.counters import Ids, Numbers
from bot.errors import NotFound
from bot.models.cases import Ticket
from bot.models.office import Site
from bot.vault import Vault

M = TypeVar("M", bound=SQLModel)


class _Row:
    """Base of the twins: only what was set is in ``__dict__``, the rest are class defaults."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__ = values

    def __repr__(self) -> str:
        # Rows hold personal data and end up in tracebacks.
        return f"<{type(self).__name__} {self.__dict__.get('id')}>"


# How the parts that live in the event loop have something written: by the writer's thread.
Writing = Callable[[Callable[["Work"], Any]], Awaitable[Any]]


def table_of(model: type[SQLModel]) -> Table:
    return cast(Table, cast(Any, model).__table__)


@cache
def _twin(model: type[SQLModel]) -> type[_Row]:
    body: dict[str, Any] = {}
    for name, member in vars(model).items():
        if isinstance(member, property) or (callable(member) and not name.startswith("_")):
            body[name] = member
    for column in table_of(model).columns:
        default = column.default
        body[column.key] = (
            cast(Any, default).arg if default is not None and default.is_scalar else None
        )
    return type(model.__name__, (_Row,), body)


def plain(model: type[M], values: dict[str, Any]) -> M:
    """A twin of ``model`` with these columns, belonging to no unit of work."""
    return cast(M, _twin(model)(values))


@cache
def _columns(model: type[SQLModel]) -> tuple[str, ...]:
    return tuple(column.key for column in table_of(model).columns)


@cache
def _defaults(model: type[SQLModel]) -> dict[str, Any]:
    """What a new row holds where nothing is said; NULL need not be written."""
    defaults = {column.key: _twin(model).__dict__[column.key] for column in table_of(model).columns}
    return {name: value for name, value in defaults.items() if value is not None}


@cache
def _mutable_defaults(model: type[SQLModel]) -> tuple[tuple[str, Any], ...]:
    fields = cast(Any, model).model_fields
    return tuple(
        (name, field.default_factory) for name, field in fields.items() if field.default_factory
    )


@dataclass(frozen=True, slots=True)
class Means:
    """What a unit of work needs beside its connection; the same for every one of a process."""

    ids: Ids
    numbers: Numbers
    vault: Vault


class Work:
    """Rows of one transaction. Whoever opened the connection commits; services never do."""

    def __init__(self, connection: Connection, means: Means, site: Site, now: datetime) -> None:
        self.connection = connection
        self.site = site
        self.now = now
        self.vault = means.vault
        self._ids = means.ids
        self._numbers = means.numbers
        self._counted: dict[str, int] = {}
        self._added: dict[type[SQLModel], list[_Row]] = {}
        # Every row seen or added, by id, and what the database holds of it (None: not written yet).
        self._known: dict[type[SQLModel], dict[int, tuple[_Row, dict[str, Any] | None]]] = {}
        self._changes: dict[tuple[type[SQLModel], tuple[str, ...]], list[dict[str, Any]]] = {}
        # The latest tickets of residents for whom a batch asked beforehand (services.tickets).
        self.recalled: dict[int, list[Ticket]] = {}

    def next_number(self) -> str:
        day = self.now.astimezone(self.site.zone).date()
        return self._numbers.take(self.connection, day, self._counted)

    def next_id(self) -> int:
        return next(self._ids)

    def add(self, model: type[M], **values: Any) -> M:
        """A new row, with an id unless one is given; written at the next flush."""
        values = _defaults(model) | values
        if "id" not in values:
            values["id"] = next(self._ids)
        for name, factory in _mutable_defaults(model):
            if name not in values:
                values[name] = factory()
        row = _twin(model)(values)
        self._added.setdefault(model, []).append(row)
        self._known.setdefault(model, {})[values["id"]] = (row, None)
        return cast(M, row)

    def change(self, model: type[SQLModel], row_id: int, values: dict[str, Any]) -> None:
        """Set columns of a row that need not be read first."""
        self._changes.setdefault((model, tuple(values)), []).append(values | {"id": row_id})

    def get(self, model: type[M], row_id: int | None) -> M | None:
        if row_id is None:
            return None
        known = self._known.get(model, {}).get(row_id)
        if known is not None:
            return cast(M, known[0])
        rows = self.find(model, table_of(model).c.id == row_id, limit=1)
        return rows[0] if rows else None

    def need(self, model: type[M], row_id: int | None) -> M:
        row = self.get(model, row_id)
        if row is None:
            raise NotFound(f"no {model.__name__} {row_id}")
        return row

    def find(
        self,
        model: type[M],
        *where: SQLColumnExpression[bool] | TextClause,
        order: Sequence[SQLColumnExpression[Any]] = (),
        limit: int = 500,
        offset: int = 0,
        lock: bool = False,
        skip_locked: bool = False,
    ) -> list[M]:
        """Rows as this work sees them, its own additions and changes included; always bounded."""
        self.flush()
        statement = select(table_of(model)).where(*where).order_by(*order).limit(limit)
        if offset:
            statement = statement.offset(offset)
        if lock and self.connection.dialect.name != "sqlite":
            statement = statement.with_for_update(skip_locked=skip_locked)
        result = self.connection.execute(statement)
        names = tuple(result.keys())
        return [self._know(model, dict(zip(names, row, strict=True))) for row in result]

    def fetch(
        self,
        model: type[M],
        by: str,
        values: Sequence[Any],
        *,
        lock: bool = False,
        skip_locked: bool = False,
    ) -> list[M]:
        """Rows whose column ``by`` is one of ``values``: for what every batch asks.

        Nothing is flushed: what this work holds already is handed out as it is here, and what it
        added comes last.
        """
        dialect = self.connection.dialect
        ending = ""
        if lock and dialect.name != "sqlite":
            ending = " FOR UPDATE SKIP LOCKED" if skip_locked else " FOR UPDATE"
        selection = statements.select(table_of(model), _columns(model), by, dialect, ending)
        known = self._known.setdefault(model, {})
        found = [
            cast(M, known[row["id"]][0]) if row["id"] in known else self._know(model, row)
            for row in selection.run(self.connection, values)
        ]
        wanted = set(values)
        return found + [row for row in self.pending(model) if getattr(row, by) in wanted]

    def held(self, model: type[M]) -> list[M]:
        """Rows this work has seen or added."""
        return [cast(M, row) for row, _ in self._known.get(model, {}).values()]

    def pending(self, model: type[M]) -> list[M]:
        """Rows added and not yet written."""
        return cast(list[M], list(self._added.get(model, ())))

    def flush(self) -> None:
        """Write what was added and changed since the last flush."""
        self._numbers.settle(self.connection, self._counted)
        for model in [model for model in _write_order() if model in self._added]:
            self._insert(model, self._added.pop(model))
        for model, rows in self._known.items():
            self._update(model, rows)
        for (model, names), changes in self._changes.items():
            statement = statements.update(table_of(model), names, self.connection.dialect)
            statement.run(self.connection, changes)
        self._changes.clear()

    def _know(self, model: type[M], values: dict[str, Any]) -> M:
        known = self._known.setdefault(model, {})
        seen = known.get(values["id"])
        if seen is not None:
            # What we changed was written before reading: any difference is another process's.
            if seen[1] != values:
                seen[0].__dict__.update(values)
                known[values["id"]] = (seen[0], _snapshot(model, values))
            return cast(M, seen[0])
        row = _twin(model)(values)
        known[values["id"]] = (row, _snapshot(model, values))
        return cast(M, row)

    def _insert(self, model: type[SQLModel], rows: list[_Row]) -> None:
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        known = self._known.setdefault(model, {})
        for row in rows:
            values = row.__dict__
            groups.setdefault(tuple(values), []).append(values)
            known[values["id"]] = (row, _snapshot(model, values))
        dialect = self.connection.dialect
        for names, group in groups.items():
            statements.insert(table_of(model), names, dialect).run(self.connection, group)

    def _update(
        self, model: type[SQLModel], rows: dict[int, tuple[_Row, dict[str, Any] | None]]
    ) -> None:
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row_id, (row, before) in rows.items():
            if before is None or row.__dict__ == before:
                continue
            changed = {k: v for k, v in row.__dict__.items() if k not in before or before[k] != v}
            groups.setdefault(tuple(changed), []).append(changed | {"id": row_id})
            rows[row_id] = (row, _snapshot(model, row.__dict__))
        dialect = self.connection.dialect
        for names, group in groups.items():
            statements.update(table_of(model), names, dialect).run(self.connection, group)


def _snapshot(model: type[SQLModel], values: dict[str, Any]) -> dict[str, Any]:
    """Lists and dicts are copied, so that a change inside one is seen as a change."""
    copy = values.copy()
    for name, _ in _mutable_defaults(model):
        if copy.get(name):
            copy[name] = copy[name].copy()
    return copy


@cache
def _write_order() -> tuple[type[SQLModel], ...]:
    """Every model after those its foreign keys point to."""
    order = {table: place for place, table in enumerate(SQLModel.metadata.sorted_tables)}
    models: Iterable[Any] = SQLModel.__subclasses__()
    tables = [model for model in models if hasattr(model, "__table__")]
    return tuple(sorted(tables, key=lambda model: order[model.__table__]))
