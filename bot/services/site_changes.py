"""Bringing the tables of the site in line with a site file, and saying what that changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Table, func, select, text
from sqlmodel import SQLModel

from bot.errors import ConfigurationError
from bot.models import Area, Duty, SiteState, Staff, Ticket, Unit
from bot.models.workflow import OPEN
from bot.site_file import SiteFile, StaffEntry
from bot.vault import Vault
from bot.work import table_of

_AREA, _UNIT, _STAFF = table_of(Area), table_of(Unit), table_of(Staff)
_DUTY, _STATE, _TICKET = table_of(Duty), table_of(SiteState), table_of(Ticket)
_WORDS = {"area": "区域", "unit": "单位", "staff": "人员", "duty": "职责", "site": "设置"}


@dataclass(frozen=True)
class Changes:
    """What a load did, each as «人员 刘洋»; true when anything did change.

    ``kept`` vanished from the file but is still referred to; ``warnings`` are for whoever loaded.
    """

    version: int = 0
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    deactivated: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.deactivated)

    def at(self, version: int) -> Changes:
        return replace(self, version=version)


class Loader:
    """One load in one transaction. Rows are found by name and keep their ids."""

    def __init__(self, connection: Connection, ids: Iterator[int], vault: Vault) -> None:
        self._connection = connection
        self._ids = ids
        self._vault = vault
        self._changes = Changes()

    def bring(self, site: SiteFile) -> Changes:
        self._lock()
        areas = self._areas(site)
        units = self._units(site, areas)
        staff = self._staff(site, units)
        self._duties(site, areas, units, staff)
        self._retire(_UNIT, {unit.name for unit in site.units})
        self._retire(_AREA, {area.name for area in site.areas})
        self._settings(site)
        return self._changes

    def _lock(self) -> None:
        """Two loads at once go one after the other; the first ever makes the row."""
        insert = "INSERT INTO site (id, version, data) VALUES (1, 0, '{}') ON CONFLICT DO NOTHING"
        self._connection.execute(text(insert))
        self._connection.execute(select(_STATE.c.id).with_for_update())

    def _areas(self, site: SiteFile) -> dict[str, int]:
        known = self._rows(_AREA)
        ids: dict[str, int] = {}
        for entry in site.areas:
            values = {
                "kind": entry.kind,
                "parent_id": ids.get(entry.within or ""),
                "aliases": list(entry.aliases),
                "buildings": [dict(building) for building in entry.buildings],
                "latitude": entry.latitude,
                "longitude": entry.longitude,
            }
            ids[entry.name] = self._put(_AREA, entry.name, known.get(entry.name), values)
        return ids

    def _units(self, site: SiteFile, areas: Mapping[str, int]) -> dict[str, int]:
        known = self._rows(_UNIT)
        ids: dict[str, int] = {}
        for entry in site.units:
            values = {
                "kind": entry.kind,
                "area_id": areas.get(entry.area or ""),
                "review": entry.review,
                "desk": entry.desk,
            }
            ids[entry.name] = self._put(_UNIT, entry.name, known.get(entry.name), values)
        return ids

    def _staff(self, site: SiteFile, units: Mapping[str, int]) -> dict[str, int]:
        known = self._rows(_STAFF)
        self._dismiss(known, {entry.name for entry in site.staff})
        self._free_openids(site.staff, known)
        ids: dict[str, int] = {}
        for entry in site.staff:
            row = known.get(entry.name)
            values = {
                "unit_id": units[entry.unit],
                "roles": list(entry.roles),
                "active": True,
                "openid": self._openid(entry, row),
                "phone": self._phone(entry, row),
            }
            ids[entry.name] = self._put(_STAFF, entry.name, row, values)
        return ids

    def _dismiss(self, known: Mapping[str, Mapping[str, Any]], names: set[str]) -> None:
        """Who left the file: no pushes and no tasks any more, but history keeps the name."""
        for name, row in known.items():
            if name not in names and row["active"]:
                self._write(_STAFF, row["id"], {"active": False, "code": ""})
                self._changes.deactivated.append(_say(_STAFF, name))
                tickets = self._count(_TICKET.c.assignee_id == row["id"], _TICKET.c.state.in_(OPEN))
                if tickets:
                    self._changes.warnings.append(f"{name} 手上还有 {tickets} 件未办结，请改派")

    def _free_openids(
        self, entries: Iterable[StaffEntry], known: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """An openid that the file gives to somebody else is taken from its holder first."""
        owner = {entry.openid: entry.name for entry in entries if entry.openid}
        for name, row in known.items():
            if row["openid"] in owner and owner[row["openid"]] != name:
                self._write(_STAFF, row["id"], {"openid": None})
                self._changes.warnings.append(f"{name} 的微信改绑给了 {owner[row['openid']]}")

    def _openid(self, entry: StaffEntry, row: Mapping[str, Any] | None) -> str | None:
        """The file's, where it says one; an empty one unbinds."""
        if entry.openid is not None:
            return entry.openid or None
        return None if row is None else self._bound(row)

    def _bound(self, row: Mapping[str, Any]) -> str | None:
        """Read again: it may just have been given to somebody else."""
        held = select(_STAFF.c.openid).where(_STAFF.c.id == row["id"])
        return self._connection.execute(held).scalar_one_or_none()

    def _phone(self, entry: StaffEntry, row: Mapping[str, Any] | None) -> str:
        """Sealed; the old seal where the number is the same, since no two seals are equal."""
        sealed: str = "" if row is None else row["phone"]
        if entry.phone is None:
            return sealed
        try:
            same = self._vault.open(sealed) == entry.phone
        except ConfigurationError:
            same = False
        return sealed if same else self._vault.seal(entry.phone)

    def _duties(
        self,
        site: SiteFile,
        areas: Mapping[str, int],
        units: Mapping[str, int],
        staff: Mapping[str, int],
    ) -> None:
        rows = self._connection.execute(select(_DUTY)).mappings().all()
        known = {(row["intent"], row["area_id"]): dict(row) for row in rows}
        names = {area_id: name for name, area_id in areas.items()}
        for entry in site.duties:
            key = (entry.intent, areas.get(entry.area or ""))
            values = {
                "intent": entry.intent,
                "area_id": key[1],
                "unit_id": units[entry.unit],
                "staff_id": staff.get(entry.staff or ""),
            }
            name = f"{entry.area or site.data['name']} {entry.intent}"
            self._put(_DUTY, name, known.pop(key, None), values)
        for (intent, area_id), row in known.items():
            self._connection.execute(_DUTY.delete().where(_DUTY.c.id == row["id"]))
            place = names.get(area_id, site.data["name"])
            self._changes.removed.append(_say(_DUTY, f"{place} {intent}"))

    def _retire(self, table: Table, names: set[str]) -> None:
        """Delete what left the file, the inner before the outer; keep what is referred to."""
        gone = [row for name, row in self._rows(table).items() if name not in names]
        while free := [row for row in gone if not self._is_used(table, row["id"])]:
            for row in free:
                self._connection.execute(table.delete().where(table.c.id == row["id"]))
                self._changes.removed.append(_say(table, row["name"]))
            gone = [row for row in gone if row not in free]
        for row in gone:
            self._changes.kept.append(_say(table, row["name"]))
            if row.get("desk"):
                self._write(table, row["id"], {"desk": False})
                self._changes.changed.append(_say(table, row["name"]))

    def _is_used(self, table: Table, row_id: int) -> bool:
        """Whether any row of any table refers to this one."""
        for other in SQLModel.metadata.sorted_tables:
            for column in other.columns:
                if column.references(table.c.id):
                    found = select(column).where(column == row_id).limit(1)
                    if self._connection.execute(found).first():
                        return True
        return False

    def _settings(self, site: SiteFile) -> None:
        row = self._connection.execute(select(_STATE)).mappings().one()
        if row["data"] != site.data:
            self._write(_STATE, row["id"], {"data": dict(site.data)})
            self._changes.changed.append(_say(_STATE, site.data["name"]))

    def _put(
        self, table: Table, name: str, row: Mapping[str, Any] | None, values: dict[str, Any]
    ) -> int:
        """Write only what differs; returns the row's id."""
        if row is None:
            row_id = next(self._ids)
            named = {"name": name} if "name" in table.c else {}
            self._connection.execute(table.insert().values(id=row_id, **named, **values))
            self._changes.added.append(_say(table, name))
            return row_id
        changed = {key: value for key, value in values.items() if row[key] != value}
        if changed:
            self._write(table, row["id"], changed)
            self._changes.changed.append(_say(table, name))
        return int(row["id"])

    def _write(self, table: Table, row_id: int, values: Mapping[str, Any]) -> None:
        self._connection.execute(table.update().where(table.c.id == row_id).values(**values))

    def _rows(self, table: Table) -> dict[str, Mapping[str, Any]]:
        rows = self._connection.execute(select(table).order_by(table.c.id)).mappings()
        return {row["name"]: dict(row) for row in rows}

    def _count(self, *where: Any) -> int:
        counted = select(func.count()).select_from(_TICKET).where(*where)
        return int(self._connection.execute(counted).scalar_one())


def _say(table: Table, name: str) -> str:
    return f"{_WORDS[table.name]} {name}"
