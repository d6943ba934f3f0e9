from __future__ import annotations

import re

import pytest
from wechatpy.constants import WeChatErrorCode

from bot.wechat.errcodes import ErrorClass, classify

# Written out once more from WECHAT.md, so that a slip in the table shows.
EXPECTED = {
    ErrorClass.TOKEN: [40001, 40014, 42001],
    ErrorClass.PASSING: [-2, -1, 61450, 45011, 43117],
    ErrorClass.QUOTA: [45009, 48006],
    ErrorClass.WINDOW: [45015, 45047],
    ErrorClass.USER: [43004, 46004, 40003, 50005, 43019, 48002, 43101, 50002],
    ErrorClass.CONFIGURATION: [
        48001,
        48003,
        48004,
        40013,
        40125,
        40164,
        61004,
        40243,
        50007,
        40200,
    ],
    ErrorClass.DATA: [40037, 47001, 47003, 40249, 40007, 40004, 44004, *range(45001, 45009), 61451],
    ErrorClass.OAUTH: [40029, 40163, 42003],
    ErrorClass.UNKNOWN: [0, 1, 99999, -99],
}


@pytest.mark.parametrize("kind", ErrorClass)
def test_classes(kind):
    assert {classify(code) for code in EXPECTED[kind]} == {kind}


@pytest.mark.parametrize("kind", ErrorClass)
def test_staff_is_told_what_to_do_in_one_chinese_sentence(kind):
    assert re.fullmatch(r"[^。]+。", kind.advice)
    assert re.search("[\u4e00-\u9fff]", kind.advice)


def test_wechatpy_means_the_same_token_errors():
    names = ("INVALID_CREDENTIAL", "INVALID_ACCESS_TOKEN", "EXPIRED_ACCESS_TOKEN")
    for name in names:
        assert classify(WeChatErrorCode[name].value) is ErrorClass.TOKEN
