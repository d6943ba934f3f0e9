"""Stories as people write them: a text file of talks, read into steps.

A line is one step. ``王奶奶: 灯坏了`` is said by 王奶奶; in brackets is what is not text: [图片],
[语音], [语音 识别=灯坏了], [位置 30.277,120.151 阳光小区], [关注], [取消关注], [扫码 阳光小区],
[菜单 查进度], [点 2] (a tap on the second option shown last), [视频], [文件 名字].

=====================  ============================================================================
``# 标题``             a new story
``时间 年-月-日 时:分``  it is then (by the office's clock)
``过 3 小时``          time passes, with all that happens by time alone (分钟, 小时, 天)
``机: 词 !词 甲|乙``     the answer holds 词, does not hold the next, holds 甲 or 乙; ``静默``: none came
``推送 名字: 词 …``     something pushed to that phone and not yet looked at holds all this; ``无``: nothing
``工单: 1件 状态=…``     how many tickets there are, and what is true of the newest (``工单1``: the first)
``重发 3 次``          the platform delivers the last message again (``一起``: all at once)
``绑定码 名字``         the office issues a code for that staff member; 「{码}」 in what is said later
``也用 PostgreSQL``    the story is played on PostgreSQL too
（……）                 a stage direction, for the reader
=====================  ============================================================================

「{编号}」 and 「{短号}」 are the newest ticket's number and its last digits, 「{短号1}」 the first's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_STEPS = (
    ("time", re.compile(r"时间 +(\d{4}-\d\d-\d\d \d\d:\d\d)$")),
    ("later", re.compile(r"过 *(\d+) *(分钟|小时|天)$")),
    ("again", re.compile(r"重发 *(\d+) *次 *(一起)?$")),
    ("issue", re.compile(r"绑定码 +(\S+)$")),
    ("pushed", re.compile(r"推送 +([^\s:：]+)[:：] *(.+)$")),
    ("tickets", re.compile(r"工单(\d*)[:：] *(.+)$")),
    ("answered", re.compile(r"机[:：] *(.+)$")),
    ("said", re.compile(r"([^\s:：]+)[:：] ?(.+)$")),
)


@dataclass(frozen=True, slots=True)
class Step:
    """``kind`` is a method of the stage, ``arguments`` what the line said."""

    line: int
    kind: str
    arguments: tuple[str, ...]


@dataclass(slots=True)
class Story:
    file: str
    number: int
    title: str
    steps: list[Step] = field(default_factory=list)
    postgres: bool = False


class ScriptError(ValueError):
    """A line that no reader would understand."""


def read(path: Path) -> Iterator[Story]:
    """The stories of one file, in order. Text before the first title is for people."""
    story: Story | None = None
    count = 0
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = raw.strip()
        if line.startswith("# "):
            if story is not None:
                yield story
            count += 1
            story = Story(path.stem, count, line[2:].strip())
        elif story is None or not line or line.startswith("（"):
            continue
        elif line == "也用 PostgreSQL":
            story.postgres = True
        else:
            story.steps.append(_step(path, number, line))
    if story is not None:
        yield story


def _step(path: Path, number: int, line: str) -> Step:
    for kind, pattern in _STEPS:
        match = pattern.match(line)
        if match is not None:
            return Step(number, kind, tuple(part or "" for part in match.groups()))
    raise ScriptError(f"{path.name}:{number}: 看不懂这一行：{line}")
