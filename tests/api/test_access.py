"""Tokens: who gets in, for whom he may act, and how soon he is out again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import NotFound
from bot.machine import Machine
from bot.models import Staff, Token
from bot.services import tokens
from bot.services.site import raise_version
from bot.work import table_of

from .conftest import CLERK, HANDLER, OTHER, Api, problem


def test_a_token_is_long_and_kept_as_a_hash(machine: Machine) -> None:
    token = machine.write(lambda work: tokens.issue(work, "看板", None))
    stored = machine.read(lambda work: work.find(Token))[0]
    assert len(token.removeprefix(tokens.PREFIX)) * 6 >= 256
    assert token not in str(vars(stored))
    holder = machine.read(lambda work: tokens.check(work.connection, token))
    assert holder is not None
    assert (holder.note, holder.staff) == ("看板", None)
    assert machine.read(lambda work: tokens.check(work.connection, token[:-1])) is None


def test_no_token_for_somebody_who_is_not_there(machine: Machine) -> None:
    with pytest.raises(NotFound) as caught:
        machine.write(lambda work: tokens.issue(work, "x", "诸葛亮"))
    assert "诸葛亮" in caught.value.told


def test_revoked_by_note(machine: Machine) -> None:
    token = machine.write(lambda work: tokens.issue(work, "旧的", HANDLER))
    assert machine.write(lambda work: tokens.revoke(work, "旧的")) == 1
    assert machine.write(lambda work: tokens.revoke(work, "旧的")) == 0
    assert machine.read(lambda work: tokens.check(work.connection, token)) is None


def test_nobody_without_a_good_token(api_client: Api) -> None:
    for path in ("/tickets", "/outbox", "/units", "/tickets/T20261123-0001"):
        for header in ("", "Bearer", "Bearer wrong", "Basic dXNlcjpwYXNz"):
            headers = {"Authorization": header} if header else {}
            answer = api_client.request("GET", path, token="", headers=headers)
            assert problem(answer) == (401, "unauthorized"), (path, header)
            assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_token_is_out_within_seconds(api_client: Api) -> None:
    token = api_client.issue("旧的")
    assert api_client.request("GET", "/units", token=token).status_code == 200
    api_client.machine.write(lambda work: tokens.revoke(work, "旧的"))
    api_client.machine.clock.move(tokens.KEPT)
    assert problem(api_client.request("GET", "/units", token=token)) == (401, "unauthorized")


def test_a_busy_client_costs_no_query_each_time(api_client: Api) -> None:
    cache, machine = tokens.TokenCache(), api_client.machine
    now = machine.clock.now()
    with machine.database.read() as connection:
        assert cache.known(api_client.token, now) is None
        assert cache.check(connection, api_client.token, now) is not None
        assert cache.check(connection, "wrong", now) is None
    assert cache.known(api_client.token, now + timedelta(seconds=9)) is not None
    assert cache.known(api_client.token, now + tokens.KEPT) is None
    assert cache.known(api_client.token, now - timedelta(hours=1)) is None


def test_the_token_of_a_person_acts_for_that_person_only(api_client: Api, lamp: str) -> None:
    token = api_client.issue("小马的手机", HANDLER)
    path = f"/tickets/{lamp}/transitions"
    for actor in (OTHER, CLERK, "居民", "resident", "系统", "system", "诸葛亮"):
        body = {"to": "in_progress", "actor": actor}
        answer = api_client.request("POST", path, token=token, json=body)
        assert problem(answer) == (403, "forbidden"), actor
    body = {"to": "in_progress", "actor": HANDLER}
    assert api_client.request("POST", path, token=token, json=body).status_code == 200
    contact = {"actor": OTHER}
    answer = api_client.request("POST", f"/tickets/{lamp}/contacts", token=token, json=contact)
    assert problem(answer) == (403, "forbidden")


def test_who_has_left_neither_gets_in_nor_acts(api_client: Api, lamp: str) -> None:
    token, staff = api_client.issue("小马的手机", HANDLER), table_of(Staff)
    with api_client.machine.database.write() as connection:
        connection.execute(staff.update().where(staff.c.name == HANDLER).values(active=False))
        raise_version(connection)
    assert problem(api_client.request("GET", "/units", token=token)) == (401, "unauthorized")
    assert problem(api_client.move(lamp, "in_progress", HANDLER)) == (422, "actor")
    assert HANDLER not in [person["name"] for person in api_client.get("/staff")["items"]]
