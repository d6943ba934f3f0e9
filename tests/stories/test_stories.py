"""Every story of this folder, through the real webhook. The notation is explained in script.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stories.script import Story, read

HERE = Path(__file__).parent
STORIES = [story for file in sorted(HERE.glob("*.txt")) for story in read(file)]


CASES = [
    pytest.param(story, kind, id=f"{story.file}-{story.number}-{kind}")
    for story in STORIES
    for kind in (("sqlite", "postgres") if story.postgres else ("sqlite",))
]


@pytest.mark.parametrize(("story", "kind"), CASES)
def test_story(story: Story, kind: str, play: Callable[[Story, str], None]) -> None:
    play(story, kind)
