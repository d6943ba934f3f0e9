"""The simulator as a server of its own, under uvicorn on a free port."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import uvicorn

from bot.settings import Settings
from bot.simulator.__main__ import create_standalone


def test_it_serves_the_page_and_the_api() -> None:
    settings = Settings(
        wechat_appid="wx1",
        wechat_secret="secret",
        wechat_token="token",
        wechat_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    )
    app = create_standalone(settings, "http://127.0.0.1:1/wechat")

    async def story() -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            config = uvicorn.Config(app, date_header=False, log_level="warning")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            async with aiohttp.ClientSession() as session:
                while not server.started:
                    await asyncio.sleep(0.01)
                asked = {"grant_type": "client_credential", "appid": "wx1", "secret": "secret"}
                async with session.post(f"{base}/cgi-bin/stable_token", json=asked) as answer:
                    assert (await answer.json())["expires_in"] == 7200
                    assert len(answer.headers.getall("Date")) == 1
                async with session.get(f"{base}/people") as answer:
                    people = await answer.json()
            assert {"demo-resident-01", "demo-staff-01"} <= {p["openid"] for p in people}
            server.should_exit = True
            await serving

    asyncio.run(story())
