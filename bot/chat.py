"""The same talk in a terminal: one line in, what the account answers and pushes out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import timedelta

from rich.console import Console
from sqlmodel import col

from bot.batch import Entry
from bot.conversation.incoming import Incoming
from bot.machine import Machine
from bot.models import Outbox
from bot.services import handover, reminders
from bot.work import Work

HELP = (
    "直接打字就是居民说话。/谁 demo-staff-01 换成工作人员(/谁 demo-resident-01 换回来),"
    "/过 3 过三小时，/退出 结束。"
)
_LINK = re.compile(r"<a [^>]*>(.*?)</a>")


class Chat:
    """Everything goes through the same batches as the webhook's messages."""

    def __init__(self, machine: Machine, say: Callable[[str], object]) -> None:
        self._machine = machine
        self._say = say
        self._keys = itertools.count(1)
        self._seen = 0
        self.openid = "demo-resident-01"

    def hear(self, line: str) -> bool:
        """One line of the person at the terminal; False when he is done."""
        verb, _, rest = line.strip().partition(" ")
        if verb == "/退出":
            return False
        if verb == "/谁":
            self.openid = rest.strip() or self.openid
        elif verb == "/过":
            self._pass(float(rest or 1))
        elif line.strip():
            self._speak(line.strip())
        return True

    def _speak(self, words: str) -> None:
        now = self._machine.clock.now()
        key = f"chat-{next(self._keys)}"
        entry = Entry(Incoming(key, self.openid, "chat", "text", now, words))
        self._machine.batches.run([entry], now)
        reply = _LINK.sub(r"\1", entry.reply or "（不作声）")
        self._say(f"  机：{reply}")
        self._pushes()

    def _pass(self, hours: float) -> None:
        self._machine.clock.move(timedelta(hours=hours))
        self._machine.write(reminders.run)
        self._machine.write(handover.run)
        now = self._machine.clock.now().astimezone(self._machine.settings.zone)
        self._say(f"  （现在是 {now:%m月%d日 %H:%M}）")
        self._pushes()

    def _pushes(self) -> None:
        def new(work: Work) -> list[Outbox]:
            return work.find(Outbox, col(Outbox.id) > self._seen, order=[col(Outbox.id)])

        for row in self._machine.read(new):
            self._seen = row.id
            options = "".join(f"\n      {n} {word}" for n, word in enumerate(row.options, 1))
            text = row.text.replace("\n", "\n      ")
            self._say(f"    → 推送给 {row.openid}:{text}{options}")


def chat(machine: Machine) -> None:
    console = Console(highlight=False, markup=False)
    console.print(HELP)
    talk = Chat(machine, console.print)
    try:
        while talk.hear(console.input(f"{talk.openid}> ")):
            pass
    except (EOFError, KeyboardInterrupt):
        console.print()
