"""A person's browser: headless Chromium, what it shows, and whether that can be read: narrow and wide, light and dark."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --hide-scrollbars"
)
AXE = Path(__file__).parent / "pages" / "node_modules" / "axe-core" / "axe.min.js"
"""axe-core, once `npm ci --prefix tests/pages` has put it there."""
NARROW, WIDE = 400, 1200
SCREENS = [(width, scheme) for width in (NARROW, WIDE) for scheme in ("light", "dark")]

_LOOK = r"""
const told = [], width = document.documentElement.clientWidth;
const headings = document.querySelectorAll('h1');
if (headings.length !== 1) told.push(`${headings.length} h1`);
if (document.documentElement.lang !== 'en') told.push('no language');
if (!document.title.trim()) told.push('no title');
if (document.documentElement.scrollWidth > width) told.push(`it is ${document.documentElement.scrollWidth} wide`);

const shown = (one) => { const box = one.getBoundingClientRect(); return box.width > 1 && box.height > 1; };
for (const one of document.querySelectorAll('button, select, a, td, dd, code'))
  if (shown(one)) {
    const box = one.getBoundingClientRect();
    if (box.left < 0 || box.right > width + 0.5) told.push(`beside the screen: ${one.textContent.slice(0, 40)}`);
  }

const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
const known = new Map();
const rgb = (colour) => { if (!known.has(colour)) { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1); known.set(colour, [...canvas.getImageData(0, 0, 1, 1).data]); }
  return known.get(colour); };
const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((c) => { c /= 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
const behind = (one) => { for (; one; one = one.parentElement) {
  const colour = rgb(getComputedStyle(one).backgroundColor); if (colour[3] === 255) return colour; }
  return rgb(matchMedia('(prefers-color-scheme: dark)').matches ? '#121212' : '#fff'); };
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const one = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || one.closest('style') || !shown(one)) continue;
  const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
  const contrast = (a + 0.05) / (b + 0.05);
  if (contrast < 4.5) told.push(`contrast ${contrast.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
}
return [...new Set(told)];
"""

_RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run({preload: false, resultTypes: ['violations']}).then(
  (found) => done(found.violations.map((one) => `axe: ${one.id}: ${one.help}: ${one.nodes[0].html.slice(0, 90)}`)),
  (error) => done([`axe failed: ${error}`]));
"""


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A headless Chromium with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in [*FLAGS.split(), f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def page_says(browser: webdriver.Chrome, *words: str) -> None:
    """Waits until the page that the browser shows has all these words."""

    def said(driver: webdriver.Chrome) -> bool:
        text = driver.find_element(By.TAG_NAME, "body").text
        return all(word in text for word in words)

    # Between two pages there may be no body, or one that is gone before it is read; the browser has several words for that.
    WebDriverWait(browser, 15, ignored_exceptions=(WebDriverException,)).until(said, f"the page never said {words}")


def set_screen(browser: webdriver.Chrome, width: int, scheme: str) -> None:
    """A screen so wide, of a person who likes it light or dark."""
    metrics: dict[str, Any] = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def hard_to_read(browser: webdriver.Chrome, name: str, by_axe: tuple[int, str]) -> list[str]:
    """What is wrong with the page that the browser shows: on each screen by our own look, on `by_axe` by axe-core as well.

    Where PAGES_SEEN names a folder, a picture of each is left there.
    """
    told: list[str] = []
    pictures = os.environ.get("PAGES_SEEN")
    axe = AXE.read_text("utf-8") if AXE.exists() else None
    if axe:
        browser.execute_script(axe)
    for width, scheme in SCREENS:
        set_screen(browser, width, scheme)
        wrong = browser.execute_script(_LOOK)
        if axe and (width, scheme) == by_axe:
            wrong += browser.execute_async_script(_RUN_AXE)
        told += [f"{name} at {width}, {scheme}: {one}" for one in wrong]
        if pictures:
            whole = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
            (Path(pictures) / f"{name}-{width}-{scheme}.png").write_bytes(base64.b64decode(whole["data"]))
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    return told
