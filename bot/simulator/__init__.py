"""The WeChat platform on this machine: signs, encrypts, refuses and forgets like the real one."""

from __future__ import annotations

from bot.simulator.account import Account
from bot.simulator.app import create_simulator
from bot.simulator.courier import Exchange
from bot.simulator.outside import BROKEN, NotFollowingError, Outside
from bot.simulator.phones import Bubble
from bot.simulator.platform import Platform

__all__ = [
    "BROKEN",
    "Account",
    "Bubble",
    "Exchange",
    "NotFollowingError",
    "Outside",
    "Platform",
    "create_simulator",
]
