from __future__ import annotations

import pytest

from bot.errors import ConfigurationError
from bot.wechat import sdk


def test_messages():
    assert sdk.text("o1", "收到") == (
        "POST",
        "/cgi-bin/message/custom/send",
        {"touser": "o1", "msgtype": "text", "text": {"content": "收到"}},
    )
    menu = sdk.menu_message("o1", "解决了吗？", [("1", "是"), ("2", "否")], "谢谢")
    assert menu.path == "/cgi-bin/message/custom/send"
    assert menu.body == {
        "touser": "o1",
        "msgtype": "msgmenu",
        "msgmenu": {
            "head_content": "解决了吗？",
            "list": [{"id": "1", "content": "是"}, {"id": "2", "content": "否"}],
            "tail_content": "谢谢",
        },
    }


def test_template():
    request = sdk.template("o1", "t1", {"thing1": "路灯"}, "m-7", "https://example.com/t")
    assert request.path == "/cgi-bin/message/template/send"
    assert request.body == {
        "touser": "o1",
        "template_id": "t1",
        "url": "https://example.com/t",
        "data": {"thing1": {"value": "路灯"}},
        "client_msg_id": "m-7",
    }
    assert "url" not in sdk.template("o1", "t1", {}, "m-8", "").body


def test_menu():
    buttons = [
        {"type": "click", "name": "我要反映", "key": "REPORT"},
        {"name": "服务", "sub_button": [{"type": "view", "name": "进度", "url": "https://a.cn"}]},
    ]
    assert sdk.menu(buttons) == ("POST", "/cgi-bin/menu/create", {"button": buttons})


@pytest.mark.parametrize(
    "buttons",
    [
        [],
        [{"name": "一"}] * 4,
        [{"name": "六个字是太长"}],
        [{"type": "click", "key": "K"}],
        [{"name": "一", "key": "k" * 129}],
        [{"name": "一", "url": "u" * 1025}],
        [{"name": "一", "sub_button": []}],
        [{"name": "一", "sub_button": [{"name": "二"}] * 6}],
        [{"name": "一", "sub_button": [{"name": "字" * 21}]}],
    ],
)
def test_menus_the_platform_would_refuse(buttons):
    with pytest.raises(ConfigurationError, match="menu"):
        sdk.menu(buttons)


def test_qrcodes():
    scene = {"scene": {"scene_str": "gate-3"}}
    assert sdk.qrcode("gate-3", None).body == {
        "action_name": "QR_LIMIT_STR_SCENE",
        "action_info": scene,
    }
    assert sdk.qrcode("gate-3", 60) == (
        "POST",
        "/cgi-bin/qrcode/create",
        {"action_name": "QR_STR_SCENE", "action_info": scene, "expire_seconds": 60},
    )
    for scene_str, seconds in (("", None), ("x" * 65, None), ("x", 0), ("x", 2_592_001)):
        with pytest.raises(ConfigurationError, match="QR code"):
            sdk.qrcode(scene_str, seconds)
    assert sdk.qrcode_image("a+b/c=").endswith("showqrcode?ticket=a%2Bb/c%3D")
