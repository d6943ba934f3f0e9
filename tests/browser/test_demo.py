"""The demo in a real browser: one whole loop, typed and tapped, on a desktop and on a phone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

RESIDENT = ".phone[data-side=resident]"
STAFF = ".phone[data-side=staff]"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running ``tongxin demo``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("demo")
    environment = os.environ | {"PORT": str(port), "DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "bot", "demo"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    try:
        _until_ready(f"http://127.0.0.1:{port}/readyz", process)
        yield f"http://127.0.0.1:{port}/simulator/"
    finally:
        process.terminate()
        process.wait(20)


def _until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the demo did not become ready")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have Chromium")
        pytest.skip("Chromium is not here")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


def say(page: Page, side: str, words: str) -> None:
    page.fill(f"{side} textarea", words)
    page.press(f"{side} textarea", "Enter")


def hears(page: Page, side: str, words: str) -> None:
    expect(page.locator(side)).to_contain_text(words, timeout=15_000)


def test_one_whole_loop(address: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.goto(address)
    page.locator(f"{RESIDENT} [data-do=subscribe]").first.click()
    hears(page, RESIDENT, "欢迎您")

    say(page, RESIDENT, "和平里2号楼1单元楼道灯不亮了，晚上看不见台阶")
    hears(page, RESIDENT, "已登记")
    hears(page, RESIDENT, "佳和物业")

    page.select_option(f"{STAFF} .who", "demo-staff-13")
    hears(page, STAFF, "新工单提醒")
    say(page, STAFF, "接单")
    hears(page, STAFF, "已签收")
    hears(page, RESIDENT, "已签收")
    say(page, STAFF, "联系了")
    hears(page, STAFF, "已登记联系")
    say(page, STAFF, "办结 换了声控开关，试过亮了")
    hears(page, STAFF, "等负责人审核")

    page.select_option(f"{STAFF} .who", "demo-staff-12")
    say(page, STAFF, "同意")
    hears(page, RESIDENT, "解决了吗")
    page.locator(RESIDENT).get_by_text("没好", exact=True).last.click()
    hears(page, RESIDENT, "重办")

    page.locator("[data-step=working-day]").click()
    page.select_option(f"{STAFF} .who", "demo-staff-13")
    say(page, STAFF, "办结 线路老化，重新接了线")
    hears(page, STAFF, "等负责人审核")
    page.select_option(f"{STAFF} .who", "demo-staff-12")
    say(page, STAFF, "同意")
    expect(page.locator(RESIDENT).get_by_text("解决了吗")).to_have_count(2, timeout=15_000)
    say(page, RESIDENT, "好了")
    hears(page, RESIDENT, "满意吗")
    say(page, RESIDENT, "1")
    hears(page, RESIDENT, "15天内")

    page.locator("#wire-toggle").click()
    expect(page.get_by_text("/wechat").first).to_be_visible()
    assert complaints == []
    page.close()


def test_fits_a_phone(address: str, browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(address)
    expect(page.locator(RESIDENT)).to_be_visible()
    # Filled in by the script, which must be running before a tab can be tapped.
    expect(page.locator(f"{RESIDENT} .who option")).not_to_have_count(0)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    page.locator(".tabs [data-tab=staff]").click()
    expect(page.locator(STAFF)).to_be_visible()
    page.close()
