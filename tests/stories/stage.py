"""The stage: the whole server on a free port, the pretend platform, and a story played on them."""

from __future__ import annotations

import asyncio
import html
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import uvicorn
from sqlmodel import col

from bot import demo
from bot.app import Running, create_app
from bot.clock import Clock
from bot.machine import Machine
from bot.models import Event, Media, Message, Outbox, Ticket
from bot.models.workflow import RESULTS, STATES
from bot.services import staff as colleagues
from bot.services import tickets
from bot.simulator import Outside, Platform
from bot.simulator.courier import Exchange
from bot.simulator.phones import Bubble
from bot.wechat.setup import MENU, scene
from tests.stories.script import Step, Story
from tests.stories.style import faults, visible

RESIDENTS = {name: openid for openid, name, _ in demo.RESIDENTS}
BETWEEN = timedelta(seconds=7)
_SPAN = {"分钟": "minutes", "小时": "hours", "天": "days"}
_OPTION = re.compile(r'<a href="weixin://bizmsgmenu\?msgmenucontent=(.*?)&msgmenuid=(\d+)">')
_BUTTONS = {
    str(button["name"]): str(button.get("key", ""))
    for top in MENU
    for button in (top, *top.get("sub_button", ()))
}


class Failure(AssertionError):
    """A step that did not come out as written, with the talk so far."""


@dataclass
class Phone:
    name: str
    openid: str
    resident: bool
    seen: int = 0
    read: set[int] = field(default_factory=set)


@asynccontextmanager
async def opened(machine: Machine, listener: socket.socket) -> AsyncIterator[Stage]:
    """The application served by uvicorn as in earnest, until the story is over."""
    made: dict[str, Any] = {}

    def simulator(running: Running) -> Any:
        made["app"] = demo.simulator_for(machine)(running)
        return made["app"]

    front = create_app(machine, simulator)
    config = uvicorn.Config(front, http="httptools", access_log=False, log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    state = made["app"].state
    try:
        yield Stage(machine, front.running, state.platform, state.outside)
    finally:
        server.should_exit = True
        await serving
        # The platform may have had something to tell while the server stopped.
        await state.outside.close()


class Stage:
    """Plays the steps of one story; each kind of step is a method."""

    def __init__(
        self, machine: Machine, running: Running, platform: Platform, outside: Outside
    ) -> None:
        self._machine = machine
        self._running = running
        self._platform = platform
        self._outside = outside
        staff = machine.read(lambda work: work.site.staff.values())
        self._phones = {p.name: Phone(p.name, p.openid, resident=False) for p in staff if p.openid}
        self._speaker: Phone | None = None
        self._exchange = Exchange()
        self._code = ""
        self.talk: list[str] = []

    async def play(self, story: Story) -> None:
        for step in story.steps:
            try:
                said = [self._filled(words) for words in step.arguments]
                await getattr(self, f"_{step.kind}")(*said)
            except Failure as failure:
                raise Failure(self._report(story, step, str(failure))) from None
        wrong = self._afterwards()
        if wrong:
            raise Failure(self._report(story, story.steps[-1], wrong))
        print("\n".join(self.talk))

    # --- steps -----------------------------------------------------------------------------------

    async def _time(self, when: str) -> None:
        zone = self._machine.settings.zone
        at = datetime.strptime(when, "%Y-%m-%d %H:%M").replace(tzinfo=zone)
        self._note(f"—— {when} ——")
        await self._pass(at - self._clock.now())

    async def _later(self, number: str, unit: str) -> None:
        self._note(f"—— 过了{number}{unit} ——")
        await self._pass(timedelta(**{_SPAN[unit]: int(number)}))

    async def _said(self, name: str, words: str) -> None:
        phone = self._phone(name, words)
        self._look(phone)
        phone.read.update(bubble.seq for bubble in self._platform.inbox(phone.openid))
        self._clock.move(BETWEEN)
        self._note(f"{name}: {words}")
        self._speaker = phone
        self._exchange = await self._deed(phone, words)
        if self._exchange.error or self._exchange.tries > 1:
            raise Failure(f"平台没有收到合格的应答：{self._exchange.error or '超时重投'}")
        reply = self._exchange.reply_text
        phone.read.update(bubble.seq for bubble in self._platform.inbox(phone.openid))
        phone.seen = self._platform.phones.last
        self._note(f"    机: {visible(reply) or '（静默）'}")
        self._must_be_good(reply, phone)
        await self._delivered()

    async def _answered(self, words: str) -> None:
        _expect(visible(self._exchange.reply_text), words, "回答")

    async def _pushed(self, name: str, words: str) -> None:
        phone = self._phone(name)
        self._look(phone)
        fresh = [b for b in self._platform.inbox(phone.openid) if b.seq not in phone.read]
        fresh = [bubble for bubble in fresh if bubble.side == "account"]
        if words == "无":
            if fresh:
                raise Failure(f"{name}不该收到推送，却收到：{_shown(fresh[0])}")
            return
        for bubble in fresh:
            if not _missing(_shown(bubble), words):
                phone.read.add(bubble.seq)
                return
        got = " / ".join(_shown(bubble) for bubble in fresh) or "什么都没收到"
        raise Failure(f"{name}应收到「{words}」，实际：{got}")

    async def _again(self, times: str, together: str) -> None:
        if self._speaker is None:
            raise Failure("还没有人说过话")
        openid = self._speaker.openid
        self._note(f"（平台重发 {times} 次{together}）")
        answers = await self._outside.redeliver(int(times), openid, together=bool(together))
        wanted = self._exchange.reply_text
        if any(a.error or a.reply_text != wanted for a in answers):
            raise Failure(f"重发得到的应答不同：{[a.error or a.reply_text for a in answers]}")
        await self._delivered()

    async def _issue(self, name: str) -> None:
        self._code = self._machine.write(lambda work: colleagues.issue_code(work, name))
        self._note(f"（给{name}发了绑定码）")

    async def _tickets(self, which: str, words: str) -> None:
        found = self._all_tickets()
        for word in words.split():
            if word.endswith("件") and word[:-1].isdigit():
                if len(found) != int(word[:-1]):
                    raise Failure(f"应有 {word} 工单，实际 {len(found)} 件：{self._listed(found)}")
                continue
            name, sign, wanted = re.split(r"(!?=)", word, maxsplit=1)
            index = int(which) - 1 if which else -1
            if not found or index >= len(found):
                raise Failure(f"没有工单{which}")
            actual = self._facts(found[index])[name]
            if (_agrees(name, actual, wanted)) is (sign == "!="):
                raise Failure(f"工单{which} {name} 应{sign}{wanted}，实际 {actual}")

    # --- the wire --------------------------------------------------------------------------------

    async def _deed(self, phone: Phone, words: str) -> Exchange:
        match = re.fullmatch(r"\[(\S+) *(.*)\]", words)
        if match is None:
            return await self._outside.send_text(phone.openid, words)
        deed, rest = match.groups()
        return await self._deeds()[deed](phone.openid, rest)

    def _deeds(self) -> dict[str, Callable[[str, str], Awaitable[Exchange]]]:
        out = self._outside
        return {
            "图片": lambda who, _: out.send_image(who),
            "视频": lambda who, _: out.send_video(who),
            "语音": lambda who, rest: out.send_voice(who, rest.removeprefix("识别=")),
            "文件": out.send_file,
            "位置": self._pin,
            "关注": lambda who, _: out.subscribe(who),
            "取消关注": lambda who, _: out.unsubscribe(who),
            "扫码": self._scan,
            "菜单": lambda who, rest: out.click(who, _BUTTONS[rest]),
            "点": self._tap,
        }

    async def _pin(self, openid: str, rest: str) -> Exchange:
        point, _, label = rest.partition(" ")
        latitude, longitude = map(float, point.split(","))
        return await self._outside.send_location(openid, latitude, longitude, label)

    async def _scan(self, openid: str, rest: str) -> Exchange:
        """«阳光小区», or «阳光小区 3号楼» where the code hangs in a stairwell."""
        area, _, building = rest.partition(" ")
        code = self._machine.read(lambda work: scene(work.site, area))
        return await self._outside.scan(openid, f"{code}-{building}" if building else code)

    async def _tap(self, openid: str, rest: str) -> Exchange:
        received = self._platform.inbox(openid)
        for bubble in reversed(received):
            options = _options(bubble)
            if options:
                if rest not in options:
                    raise Failure(f"没有第{rest}项可点，只有 {options}")
                return await self._outside.send_text(openid, options[rest], rest)
        raise Failure("手机上没有可点的选项")

    async def _pass(self, by: timedelta) -> None:
        self._clock.move(by)
        for _ in range(5):
            done = await self._running.ticks.all()
            await self._delivered()
            if not any(done.values()):
                break

    async def _delivered(self) -> None:
        """Until nothing that is due is still on its way."""
        while True:
            if await self._running.delivery.once():
                continue
            if not self._read(Outbox, col(Outbox.state) == "sending"):
                break
            await asyncio.sleep(0.005)
        for phone in self._phones.values():
            self._look(phone)

    # --- looking ---------------------------------------------------------------------------------

    @property
    def _clock(self) -> Clock:
        return self._machine.clock

    def _phone(self, name: str, words: str = "") -> Phone:
        if name not in self._phones:
            openid = RESIDENTS.get(name) or f"story-{name.encode().hex()}"
            self._phones[name] = Phone(name, openid, resident=True)
            if not words.startswith(("[关注", "[扫码")):
                self._platform.follow(openid)
        return self._phones[name]

    def _look(self, phone: Phone) -> None:
        """Into the talk with what was pushed since, every push checked like an answer."""
        for bubble in self._platform.inbox(phone.openid, phone.seen):
            phone.seen = bubble.seq
            if bubble.side == "account":
                self._note(f"    → {phone.name}: {_shown(bubble)}")
                if bubble.via == "custom":
                    self._must_be_good(_shown(bubble), phone)

    def _must_be_good(self, text: str, phone: Phone) -> None:
        wrong = faults(text, said="\n".join(self.talk[:-1]), resident=phone.resident)
        if wrong:
            raise Failure("；".join(wrong))

    def _all_tickets(self) -> list[Ticket]:
        return self._read(Ticket, col(Ticket.parent_id).is_(None), order=[col(Ticket.id)])

    def _facts(self, ticket: Ticket) -> dict[str, Any]:
        site = self._machine.read(lambda work: work.site)
        media = self._read(Media, col(Media.ticket_id) == ticket.id)
        kinds = [row.kind for row in media]
        return {
            "状态": STATES[ticket.state],
            "事项": self._machine.engine.catalogue.intents[ticket.intent].title,
            "方式": ticket.act,
            "单位": site.name_of("unit", ticket.lead_id) or "",
            "承办": site.name_of("staff", ticket.assignee_id) or "",
            "地点": site.name_of("area", ticket.area_id) or "",
            "急": "是" if ticket.urgent else "否",
            "等级": ticket.level,
            "原话": ticket.text,
            "摘要": ticket.summary,
            "照片": str(kinds.count("image")),
            "语音": str(kinds.count("voice")),
            "已存": str(sum(row.state == "stored" for row in media)),
            "定位": "有" if ticket.latitude is not None else "无",
            "轮次": str(ticket.round),
            "结果": RESULTS.get(ticket.result or "", ""),
            "评价": ticket.satisfaction or "",
            "确认": "是" if ticket.confirmed_at else "否",
        }

    def _read(self, model: Any, *where: Any, order: Sequence[Any] = ()) -> list[Any]:
        return self._machine.read(lambda work: work.find(model, *where, order=order, limit=500))

    def _filled(self, words: str) -> str:
        def value(match: re.Match[str]) -> str:
            name, which = match.groups()
            if name == "码":
                return self._code
            found = self._all_tickets()
            index = int(which) - 1 if which else -1
            if not found or index >= len(found):
                raise Failure(f"没有工单{which}，填不出{match.group()}")
            number: str = found[index].number
            return number if name == "编号" else number.rpartition("-")[2]

        return re.sub(r"\{(编号|短号|码)(\d*)\}", value, words)

    def _afterwards(self) -> str:
        """What must hold after every story, said nowhere: nothing failed, and histories replay."""
        if self._read(Message, col(Message.state) == "failed"):
            return "有一条消息处理失败（看日志）"
        for row in self._read(Outbox, col(Outbox.state) == "failed"):
            return f"有一条推送失败：{row.error} {row.text}"
        for ticket in self._read(Ticket):
            events = self._read(Event, col(Event.ticket_id) == ticket.id, order=[col(Event.id)])
            for name, value in tickets.replay(events).items():
                actual = getattr(ticket, name)
                if (actual.isoformat() if isinstance(actual, datetime) else actual) != value:
                    return f"{ticket.number} 的经过重演不出 {name}：{value} 而不是 {actual}"
        return ""

    def _note(self, line: str) -> None:
        self.talk.append(line)

    def _report(self, story: Story, step: Step, problem: str) -> str:
        talk = "\n".join(f"  {line}" for line in self.talk)
        listed = self._listed(self._all_tickets())
        where = f"{story.file}.txt:{step.line}"
        return f"\n{where}「{story.title}」\n{talk}\n  ✗ {problem}\n  工单：{listed}"

    def _listed(self, found: Sequence[Ticket]) -> str:
        return (
            "；".join(f"{t.number} {STATES[t.state]} {t.intent} {t.summary}" for t in found) or "无"
        )


def _shown(bubble: Bubble) -> str:
    """A pushed bubble as one text, whichever way it came."""
    if bubble.via == "template":
        return "\n".join(
            [f"[{bubble.text}]", *(f"{name}{value}" for name, value in bubble.data["rows"])]
        )
    listed = "".join(f"\n{o['id']} {o['content']}" for o in bubble.data.get("list", ()))
    return visible(bubble.text) + listed


def _options(bubble: Bubble) -> dict[str, str]:
    """Number → wording of the options that can be tapped in this bubble."""
    if bubble.kind == "msgmenu":
        return {o["id"]: o["content"] for o in bubble.data["list"]}
    return {number: html.unescape(words) for words, number in _OPTION.findall(bubble.text)}


def _missing(text: str, words: str) -> str:
    """The first expectation that ``text`` does not meet."""
    for word in words.split():
        if word.startswith("!"):
            if any(part in text for part in word[1:].split("|")):
                return word
        elif not any(part in text for part in word.split("|")):
            return word
    return ""


def _expect(text: str, words: str, what: str) -> None:
    if words == "静默":
        if text:
            raise Failure(f"应当静默，却{what}了：{text}")
        return
    missing = _missing(text, words)
    if missing:
        raise Failure(f"{what}不合「{missing}」：{text or '（静默）'}")


def _agrees(name: str, actual: str, wanted: str) -> bool:
    return wanted in actual if name in ("原话", "摘要", "事项") else wanted == actual
