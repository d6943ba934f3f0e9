"""The client against a server on this machine that behaves like the platform."""

from __future__ import annotations

import asyncio
import logging
import traceback
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.errors import ConfigurationError, PlatformError
from bot.wechat.client import WeChatClient

APPID, SECRET = "wx49f0ab532d5d035a", "5f2b" * 8
OPENID = "olPjZjsXuQPJoV0HlruZkNzKc91E"
TOKEN = "/cgi-bin/stable_token"
SEND = "/cgi-bin/message/custom/send"


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def client_of(api, **settings):
    return WeChatClient(APPID, SECRET, api.url, **({"clock": Clock()} | settings))


async def refused(awaitable):
    with pytest.raises(PlatformError) as caught:
        await awaitable
    return caught.value


def test_the_token_is_asked_for_as_documented_and_once(serve):
    async def scenario(api):
        async with client_of(api) as client:
            await asyncio.gather(*(client.send_text(OPENID, "你好") for _ in range(64)))

    api = serve(scenario, slow=0.01)
    assert api.count(TOKEN) == 1
    assert api.seen[0] == (
        "POST",
        TOKEN,
        {},
        {
            "grant_type": "client_credential",
            "appid": APPID,
            "secret": SECRET,
            "force_refresh": False,
        },
    )
    sent = [seen for seen in api.seen if seen[1] == SEND]
    assert len(sent) == 64
    assert {seen[2]["access_token"] for seen in sent} == {api.tokens[0]}
    assert sent[0][3]["text"] == {"content": "你好"}


def test_a_token_that_ran_out_is_replaced_and_the_call_repeated(serve):
    async def scenario(api):
        api.refuse = lambda token: token.endswith("A")
        async with client_of(api) as client:
            results = await asyncio.gather(*(client.send_text(OPENID, "好") for _ in range(32)))
            assert {result["errcode"] for result in results} == {0}

    api = serve(scenario, tokens=["old" * 30 + "A", "new" * 30 + "B"], slow=0.005)
    assert api.count(TOKEN) == 2
    assert api.count(SEND) <= 64


def test_a_lasting_40001_costs_one_refresh_a_minute(serve):
    async def scenario(api):
        api.refuse = lambda token: True
        clock = Clock()
        async with client_of(api, clock=clock) as client:
            for _ in range(3):
                calls = (client.send_text(OPENID, "好") for _ in range(40))
                errors = await asyncio.gather(*calls, return_exceptions=True)
                assert {error.errcode for error in errors} == {40001}
                assert {error.rid for error in errors} == {"5f-aa-bb"}
            assert api.count(TOKEN) == 2  # the first token and one refresh
            sent = api.count(SEND)
            assert sent <= 80
            await refused(client.send_text(OPENID, "好"))
            assert api.count(SEND) == sent  # told at once, without asking
            clock.now += 61
            await refused(client.send_text(OPENID, "好"))
            assert api.count(TOKEN) == 3
            api.refuse = lambda token: False
            clock.now += 61
            await client.send_text(OPENID, "好")
            assert api.count(TOKEN) == 3

    serve(scenario)


def test_other_errors_are_raised_with_their_rid_and_not_repeated(serve):
    message = "invalid openid, hint: [x] rid: 65f0-1a2b-3c4d"

    async def scenario(api):
        async with client_of(api) as client:
            error = await refused(client.send_text(OPENID, "好"))
            assert (error.errcode, error.rid) == (40003, "65f0-1a2b-3c4d")
            assert "invalid openid" in str(error)
            assert SEND in str(error)

    api = serve(scenario, answers={SEND: {"errcode": 40003, "errmsg": message}})
    assert api.count(SEND) == 1


def test_template_menu_and_codes(serve):
    codes = {"ticket": "a+b", "expire_seconds": 60, "url": "http://weixin.qq.com/q/1"}
    listed = {"template_list": [{"template_id": "t1", "title": "工单进度"}]}
    answers = {
        "/cgi-bin/qrcode/create": codes,
        "/cgi-bin/template/get_all_private_template": listed,
    }

    async def scenario(api):
        async with client_of(api) as client:
            await client.send_template(OPENID, "t1", {"thing1": "灯"}, "m1")
            await client.send_menu_message(OPENID, "好吗", [("1", "好")])
            await client.create_menu([{"name": "一", "type": "click", "key": "K"}])
            code = await client.create_qrcode("gate-3", 60)
            assert code.url == "http://weixin.qq.com/q/1"
            assert code.image.endswith("?ticket=a%2Bb")
            assert await client.templates() == listed["template_list"]
            with pytest.raises(ConfigurationError):
                await client.create_menu([])
            await client.call("/cgi-bin/user/info?lang=zh_CN", method="GET")

    api = serve(scenario, answers=answers)
    template = next(s for s in api.seen if s[1] == "/cgi-bin/message/template/send")
    assert template[3]["client_msg_id"] == "m1"
    assert api.seen[-1][:2] == ("GET", "/cgi-bin/user/info")
    assert set(api.seen[-1][2]) == {"lang", "access_token"}


def test_a_text_is_shortened_to_what_is_delivered(serve):
    async def scenario(api):
        async with client_of(api) as client:
            await client.send_text(OPENID, "字" * 2000)

    api = serve(scenario)
    assert len(api.seen[-1][3]["text"]["content"].encode()) <= 2048


MEDIA = "/cgi-bin/media/get"


def media(content, content_type):
    async def handle(request):
        return web.Response(body=content, content_type=content_type)

    return handle


def test_media(serve):
    async def scenario(api):
        async with client_of(api) as client:
            content, kind = await client.fetch_media("m/1")
            assert (content, kind) == (b"#!AMR\n123", "audio/amr")
            error = await refused(client.fetch_media("m/1", limit=5))
            assert error.errcode == 45001

    api = serve(scenario, answers={MEDIA: media(b"#!AMR\n123", "audio/amr")})
    assert api.seen[-1][2]["media_id"] == "m/1"


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "image/jpeg"])
def test_media_errors_come_as_json(serve, kind):
    body = b'{"errcode":40007,"errmsg":"invalid media_id rid: 1-2-3"}'

    async def scenario(api):
        async with client_of(api) as client:
            error = await refused(client.fetch_media("gone"))
            assert (error.errcode, error.rid) == (40007, "1-2-3")

    serve(scenario, answers={MEDIA: media(body, kind)})


def test_a_video_is_fetched_from_where_it_lies(serve):
    async def scenario(api):
        api.answers[MEDIA] = {"video_url": f"{api.url}/v.mp4"}
        async with client_of(api) as client:
            assert await client.fetch_media("v") == (b"\x00mp4", "video/mp4")

    api = serve(scenario, answers={"/v.mp4": media(b"\x00mp4", "video/mp4")})
    assert api.seen[-1][2] == {}  # the token does not go there


def test_the_platform_s_clock(serve):
    async def scenario(api):
        async with client_of(api) as client:
            date = await client.server_date()
            assert abs(date - datetime.now(UTC)) < timedelta(seconds=5)

    api = serve(scenario)
    assert api.count(TOKEN) == 0


def broken(status, text):
    async def handle(request):
        return web.Response(status=status, text=text)

    return handle


async def hang(request):
    await asyncio.sleep(0.2)


async def cut(request):
    request.transport.close()
    return web.Response()


async def garbage(request):
    # The one answer whose exception in aiohttp prints the whole address.
    request.transport.write(b"HTTP/1.1 nonsense\r\n\r\n")
    request.transport.close()
    return web.Response()


async def elsewhere(request):
    raise web.HTTPFound(f"http://127.0.0.1:1/?{request.query_string}")


FAILURES = {
    "gateway": broken(502, "<html>Bad Gateway</html>"),
    "not json": broken(200, "hello"),
    "half json": broken(200, '{"errcode":'),
    "a list": broken(200, "[]"),
    "deep": broken(200, '{"a":' * 100_000),
    "too large": broken(200, "{" + " " * 4_300_000),
    "hangs": hang,
    "cut": cut,
    "garbage": garbage,
    "redirect": elsewhere,
    "echoes": {"errcode": 40013, "errmsg": f"bad {SECRET} of {OPENID} rid: 1-2"},
}


def words_of(error):
    """All that a log could show of an exception, its causes and contexts."""
    seen, queue = [], [error]
    while queue:
        one = queue.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        queue += [one.__cause__, one.__context__]
    told = [f"{one} {one!r} {one.args} {vars(one)}" for one in seen]
    return " ".join([*told, *traceback.format_exception(error)])


def without_secrets(words, *tokens):
    for secret in (SECRET, OPENID, "access_token=", *tokens):
        assert secret not in words, words


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("path", [TOKEN, SEND])
def test_failures_tell_no_secrets(serve, caplog, name, path):
    caplog.set_level(logging.DEBUG)

    async def scenario(api):
        async with client_of(api, timeout=0.1) as client:
            error = await refused(client.send_text(OPENID, "好"))
            assert error.errcode in {-2, 40013, 45001}
            without_secrets(words_of(error), *api.tokens)
            error = await refused(client.call(f"{path}?openid={OPENID}", method="GET"))
            without_secrets(words_of(error), *api.tokens)
            without_secrets(f"{client!r} {client}", *api.tokens)
            return api

    answers = {path: FAILURES[name]}
    api = serve(scenario, answers=answers)
    # The test's own server logs what it was asked; only the rest is ours.
    servers = ("aiohttp.access", "aiohttp.server", "aiohttp.web")
    ours = [r.getMessage() for r in caplog.records if r.name not in servers]
    without_secrets(" ".join(ours), *api.tokens)


def test_no_network(unused_port):
    async def main():
        for url in (
            f"http://127.0.0.1:{unused_port}",
            "http://no such host",
            "ftp://x",
            "",
            "http://[1",
        ):
            async with WeChatClient(APPID, SECRET, url, timeout=0.2) as client:
                for call in (
                    client.send_text(OPENID, "好"),
                    client.fetch_media("m"),
                    client.server_date(),
                ):
                    error = await refused(call)
                    assert error.errcode == -2
                    without_secrets(words_of(error))

    asyncio.run(main())


def test_a_refused_token_tells_no_secrets(serve):
    async def scenario(api):
        api.refuse = lambda token: True
        async with client_of(api) as client:
            for _ in range(2):
                error = await refused(client.send_text(OPENID, "好"))
                without_secrets(words_of(error), *api.tokens)

    serve(scenario)


def test_a_strange_answer_to_the_token_call(serve):
    async def scenario(api):
        async with client_of(api) as client:
            for answer in ({}, {"access_token": 5}, {"access_token": "a", "expires_in": "soon"}):
                api.answers[TOKEN] = answer
                error = await refused(client.send_text(OPENID, "好"))
                assert error.errcode == -2

    serve(scenario)
