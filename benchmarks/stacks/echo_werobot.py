"""The bare echo on WeRoBot under tornado, as WeRoBot's documentation shows it, without sessions."""

from __future__ import annotations

import asyncio
import sys

import tornado.web
from werobot import WeRoBot
from werobot.config import Config
from werobot.contrib.tornado import make_handler
from werobot.messages.messages import TextMessage

from benchmarks.account import Account


def make_robot(account: Account) -> WeRoBot:
    config = Config(
        TOKEN=account.token,
        APP_ID=account.appid,
        APP_SECRET=account.secret,
        ENCODING_AES_KEY=account.aes_key,
        SESSION_STORAGE=False,
    )
    robot = WeRoBot(config=config)

    @robot.text
    def echo(message: TextMessage) -> str:
        return str(message.content)

    return robot


async def serve(port: int) -> None:
    robot = make_robot(Account.from_environment())
    tornado.web.Application([(r"/wechat", make_handler(robot))]).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
