"""No answer of the API holds a number by which a resident could be called or known."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import CLERK, HANDLER, Api

PHONES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
SPELT = st.sampled_from(["{0}", "{1} {2} {3}", "{1}-{2}-{3}", "+86{0}", "电话{0}。"])
SAID = st.sampled_from(
    [
        "阳光小区3号楼楼道灯坏了，{}",
        "{}，和平里半夜施工太吵",
        "翠湖苑5号楼着火了！{}",
        "我要投诉物业，{}",
        "灯坏了，{}",
        "{}",
        "找人工 {}",
        "请问居住证怎么办，{}",
    ]
)
THEN = st.sampled_from(["东门旁边，{}", "{}", "阳光小区3号楼2单元501，{}", "是", "1"])


def spell(phone: str, how: str) -> str:
    return how.format(phone, phone[:3], phone[3:7], phone[7:])


def digits(text: str) -> str:
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text))


def everything(api: Api) -> str:
    shown = [api.request("GET", f"/{path}?limit=500").text for path in ("tickets", "outbox")]
    for item in api.get("/tickets", limit=500)["items"]:
        shown.append(api.request("GET", f"/tickets/{item['number']}").text)
        shown.append(api.request("GET", f"/tickets/{item['number']}/events").text)
    return digits("".join(shown))


def test_numbers_of_residents_stay_inside(api_client: Api, office: Any) -> None:
    @settings(
        max_examples=20,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(phone=PHONES, how=SPELT, first=SAID, second=THEN)
    def said(phone: str, how: str, first: str, second: str) -> None:
        number = spell(phone, how)
        office.say(f"resident-{phone}", first.format(number))
        office.say(f"resident-{phone}", second.format(number))
        assert phone not in everything(api_client)

    said()


def test_nor_do_they_leave_by_what_is_given_to_the_api(api_client: Api, lamp: str) -> None:
    api_client.moved(lamp, "in_progress", HANDLER)
    asked = {"text": "居民13812345678说打138-1234-5678", "note": ["13812345678"]}
    answer = api_client.move(lamp, "need_info", HANDLER, **asked)
    assert answer.status_code == 200
    assert "13812345678" not in digits(answer.text)
    assert "13812345678" not in everything(api_client)
    refused = api_client.move(lamp, "dispatched", CLERK, unit="13812345678")
    assert refused.status_code == 409


def test_sealed_columns_are_not_shown(api_client: Api, office: Any) -> None:
    office.say("resident-1", "阳光小区3号楼2单元501楼道灯坏了，我姓张，电话13812345678")
    ticket = office.tickets()[-1]
    assert ticket.private
    shown = everything(api_client)
    assert ticket.private not in shown
    assert ticket.phone_mark not in shown
    assert "501" not in str(api_client.get(f"/tickets/{ticket.number}")["slots"])
