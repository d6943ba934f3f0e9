"""The doctor finds each thing that is wrong, says what to do, and finds nothing in what is right."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot import doctor, migrations
from bot.counters import Ids
from bot.data import PACKAGED_SITE, demo_templates
from bot.db import Database
from bot.doctor import Finding, storage
from bot.errors import PlatformError
from bot.services import site as sites
from bot.settings import DEFAULT_SECRET_KEY, Settings
from bot.site_file import read
from bot.vault import Vault

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "wechat_appid": "wx0123456789abcdef",
    "wechat_secret": "0123456789abcdef0123456789abcdef",
    "wechat_token": "token123",
    "wechat_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "secret_key": "a long enough secret key",
    "public_url": "https://example.org",
    "simulator": True,
    "wechat_api_base": "http://127.0.0.1:9",
}


@pytest.fixture
def installed(tmp_path: Path) -> Settings:
    """With the packaged site in a SQLite database."""
    url = f"sqlite:///{tmp_path}/tongxin.db"
    database = Database(url)
    migrations.upgrade(database)
    ids = Ids(database)
    ids.reserve()
    with database.write() as connection:
        sites.apply(connection, ids, read(PACKAGED_SITE), Vault("x"))
    database.close()
    return Settings(_env_file=None, **GOOD, database_url=url, data_dir=tmp_path)


@pytest.fixture(autouse=True)
def space(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own disk may be nearly full."""
    usage = type("Usage", (), {"free": 9 * storage.GIGABYTE})
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _: usage)


def change(settings: Settings, **values: Any) -> Settings:
    """A fresh instance: cached properties must not survive."""
    return Settings(_env_file=None, **settings.model_dump() | values)


def wrong(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level != "ok"]


def database_of(settings: Settings, statement: str) -> None:
    database = Database(settings.database_url)
    with database.write() as connection:
        connection.execute(text(statement))
    database.close()


def test_a_good_installation_has_nothing_wrong(installed: Settings) -> None:
    findings = doctor.check_offline(installed, now=NOW)
    assert wrong(findings) == []
    assert len(findings) > 12


@pytest.mark.parametrize(
    ("values", "level", "title"),
    [
        ({"secret_key": DEFAULT_SECRET_KEY}, "error", "SECRET_KEY 还是默认值"),
        ({"secret_key": "short"}, "warn", "SECRET_KEY 太短"),
        ({"wechat_token": ""}, "error", "没有设置 WECHAT_TOKEN"),
        ({"wechat_token": "有中文"}, "error", "WECHAT_TOKEN 应是"),
        ({"wechat_appid": ""}, "error", "没有设置 WECHAT_APPID"),
        (
            {"wechat_appid": "wx1", "simulator": False, "wechat_api_base": "https://a.example"},
            "warn",
            "WECHAT_APPID 不像真的",
        ),
        ({"wechat_secret": ""}, "error", "没有设置 WECHAT_SECRET"),
        ({"wechat_aes_key": ""}, "error", "WECHAT_MODE 是 safe，但没有设置 WECHAT_AES_KEY"),
        ({"wechat_aes_key": "a" * 42}, "error", "WECHAT_AES_KEY 应是 43 个字符，现在是 42 个"),
        ({"wechat_aes_key": "a" * 42 + "-"}, "error", "WECHAT_AES_KEY 里有不该有的字符"),
        ({"wechat_mode": "plain"}, "warn", "WECHAT_MODE 是 plain"),
        ({"wechat_mode": "compatible"}, "warn", "消息以兼容模式传送"),
        ({"wechat_api_base": "nowhere"}, "error", "WECHAT_API_BASE 不是网址"),
        ({"wechat_api_base": "http://a.example"}, "error", "WECHAT_API_BASE 不是 https"),
        ({"wechat_api_base": "https://a.example"}, "warn", "开着模拟器"),
        ({"public_url": ""}, "warn", "没有设置 PUBLIC_URL"),
        ({"public_url": "http://a.example"}, "warn", "PUBLIC_URL 不是 https"),
        ({"public_url": "a.example"}, "error", "PUBLIC_URL 不是网址"),
        ({"timezone": "Asia/Nowhere"}, "error", "没有「Asia/Nowhere」这个时区"),
        ({"timezone": "../x"}, "error", "没有「../x」这个时区"),
        ({"database_url": "nonsense"}, "error", "DATABASE_URL 不是数据库地址"),
        ({"database_url": "mysql://x/y"}, "error", "不支持数据库 mysql"),
        (
            {"database_url": "postgresql://u:p4ss@127.0.0.1:9/x?connect_timeout=2"},
            "error",
            "连不上数据库",
        ),
    ],
)
def test_each_wrong_setting_is_told(
    installed: Settings, values: dict[str, Any], level: str, title: str
) -> None:
    findings = wrong(doctor.check_offline(change(installed, **values), now=NOW))
    assert [finding.level for finding in findings if finding.title.startswith(title)] == [level]
    assert all(finding.advice for finding in findings)
    assert "p4ss" not in repr(findings)


def test_an_aes_key_with_unused_bits_in_its_last_character_is_right(installed: Settings) -> None:
    settings = change(installed, wechat_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFZ")
    assert wrong(doctor.check_offline(settings, now=NOW)) == []


def test_the_demo_may_keep_the_default_key(installed: Settings) -> None:
    settings = change(installed, secret_key=DEFAULT_SECRET_KEY)
    assert wrong(doctor.check_offline(settings, demo=True, now=NOW)) == []


def test_a_full_disk_and_a_folder_of_another_user_are_told(
    installed: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free, level in ((storage.LEAST - 1, "error"), (storage.ENOUGH - 1, "warn")):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(storage.shutil, "disk_usage", lambda _, usage=usage: usage)
        assert [one.level for one in wrong([*storage.check_data_dir(tmp_path / "new")])] == [level]

    def refuse(**_: Any) -> None:
        raise PermissionError

    # As root every folder is writable.
    monkeypatch.setattr(storage.tempfile, "TemporaryFile", refuse)
    assert "不能写入" in wrong([*storage.check_data_dir(tmp_path)])[0].title


def test_a_missing_database_is_told_and_not_made(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None, **GOOD, database_url=f"sqlite:///{tmp_path}/no/x.db", data_dir=tmp_path
    )
    assert "还没有数据库" in wrong(doctor.check_offline(settings, now=NOW))[0].title
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("revision", "title"),
    [("9999", "数据库来自更新的版本"), (None, "数据库还没有建表")],
)
def test_a_schema_that_is_not_this_programs_is_told(
    installed: Settings, revision: str | None, title: str
) -> None:
    statement = f"UPDATE alembic_version SET version_num = '{revision}'"
    database_of(installed, statement if revision else "DELETE FROM alembic_version")
    assert wrong(doctor.check_offline(installed, now=NOW))[0].title.startswith(title)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("hello " * 1000)
    settings = Settings(
        _env_file=None, **GOOD, database_url=f"sqlite:///{tmp_path}/x.db", data_dir=tmp_path
    )
    findings = wrong(doctor.check_offline(settings, now=NOW))
    assert findings[0].title.startswith("数据库打不开")


@pytest.mark.parametrize(
    ("statement", "level", "title"),
    [
        ("UPDATE site SET version = 0", "error", "还没有载入站点"),
        ("UPDATE staff SET roles = '[\"head\"]' WHERE roles LIKE '%desk%'", "error", "值班没有人"),
        ("UPDATE staff SET openid = NULL", "warn", "值班人员（王秀英、李建国）都没有绑定微信"),
        ("UPDATE staff SET roles = '[\"desk\"]' WHERE name = '何大勇'", "warn", "安居物业没有负责人"),
        ("UPDATE staff SET active = false WHERE name = '周明远'", "warn", "没有分管领导"),
        ("UPDATE site SET data = json_remove(data, '$.templates.task')", "warn", "没有设置模板消息：派单"),
    ],
)  # fmt: skip
def test_a_site_that_cannot_work_is_told(
    installed: Settings, statement: str, level: str, title: str
) -> None:
    database_of(installed, statement)
    findings = wrong(doctor.check_offline(installed, now=NOW))
    assert [(one.level, one.title.startswith(title)) for one in findings] == [(level, True)]


def test_the_demos_people_on_a_real_account_are_told(installed: Settings) -> None:
    real = change(installed, simulator=False, wechat_api_base="https://api.weixin.qq.com")
    findings = wrong(doctor.check_offline(real, now=NOW))
    assert [one.title for one in findings] == [
        "王秀英 等 16 人绑定的是演示用的微信，真实推送到不了"
    ]


def test_a_year_without_a_calendar_is_told_in_time(installed: Settings) -> None:
    quiet = doctor.check_offline(installed, now=datetime(2090, 1, 5, tzinfo=UTC))
    assert "2090 年的节假日和调休还不知道" in wrong(quiet)[0].title
    assert len(wrong(quiet)) == 1, "in January nobody can know the next year's"
    december = doctor.check_offline(installed, now=datetime(2090, 12, 5, tzinfo=UTC))
    assert len(wrong(december)) == 2


class Platform:
    """Answers like the client of the API."""

    def __init__(self, refused: PlatformError | None = None, late: float = 0) -> None:
        self.refused = refused
        self.late = late
        self.registered: list[dict[str, Any]] = [dict(one) for one in demo_templates()]

    async def server_date(self) -> datetime:
        return NOW - timedelta(seconds=self.late)

    async def templates(self) -> list[dict[str, Any]]:
        if self.refused:
            raise self.refused
        return self.registered


def ask(settings: Settings, platform: Platform) -> list[Finding]:
    return asyncio.run(doctor.check_online(settings, platform, now=NOW))


def test_a_good_account_has_nothing_wrong(installed: Settings) -> None:
    findings = ask(installed, Platform())
    assert wrong(findings) == []
    assert len(findings) == 7


@pytest.mark.parametrize(
    ("late", "level"), [(59, "ok"), (61, "warn"), (-61, "warn"), (301, "error"), (-301, "error")]
)
def test_a_clock_that_is_off_is_told(installed: Settings, late: float, level: str) -> None:
    finding = ask(installed, Platform(late=late))[0]
    assert finding.level == level
    if level != "ok":
        assert f"{'快' if late > 0 else '慢'} {abs(late)} 秒" in finding.title


@pytest.mark.parametrize(
    ("code", "message", "level", "told"),
    [
        (40125, "invalid appsecret", "error", "WECHAT_SECRET 不对"),
        (40013, "invalid appid", "error", "WECHAT_APPID 不对"),
        (
            40164,
            "stable_token: invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist",
            "error",
            "本机的外网 IP 203.0.113.7 不在公众号的白名单里",
        ),
        (40164, "invalid ip 2001:db8::7, not in whitelist", "error", "IP 2001:db8::7 不在"),
        (40164, "not in whitelist", "error", "本机的外网 IP 不在"),
        (48001, "api unauthorized", "warn", "没有这项权限"),
        (-2, "no answer", "warn", "连不上微信接口"),
        (45009, "quota", "error", "微信接口拒绝了请求"),
    ],
)
def test_a_refused_token_is_told_with_its_cause(
    installed: Settings, code: int, message: str, level: str, told: str
) -> None:
    finding = ask(installed, Platform(PlatformError(code, message)))[-1]
    assert (finding.level, told in finding.title) == (level, True), finding
    assert finding.advice


def test_templates_that_do_not_fit_are_told(installed: Settings) -> None:
    platform = Platform()
    platform.registered = platform.registered[1:]
    platform.registered[0]["content"] += "\n备注:{{remark.DATA}}\n电话:{{phone_number9.DATA}}"
    platform.registered[1]["content"] = "编号:{{character_string1.DATA}}"
    findings = wrong(ask(installed, platform))
    assert [(one.level, one.title) for one in findings] == [
        ("error", "站点文件 [templates.task]：公众号里没有模板 demo-task"),
        ("error", "站点文件 [templates.update]：少了字段 phone_number9"),
        ("warn", "站点文件 [templates.reminder]：模板里没有字段 thing2、thing3、time4"),
    ]


def test_without_an_answer_only_warnings_are_given(installed: Settings) -> None:
    findings = asyncio.run(doctor.check_online(installed, now=NOW))
    assert [one.level for one in findings] == ["warn", "warn"]


def test_env_example_names_every_setting_and_nothing_else() -> None:
    lines = (Path(__file__).parents[2] / ".env.example").read_text("utf-8").splitlines()
    settings = [line for line in lines if "=" in line and not line.startswith("#")]
    given = {name.lower(): value for name, _, value in (one.partition("=") for one in settings)}
    assert set(given) == set(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        assert str(field.default).lower() == given[name].lower(), name
    for before, line in pairwise(lines):
        assert line.startswith("#") or "=" not in line or before.startswith("# "), line
