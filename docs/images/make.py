"""The pictures of a report in the documentation, taken from the quickstart's run by headless Chromium: `make pictures`.

python docs/images/make.py RUN      RUN: a run folder with a report
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

FOLDER = Path(__file__).parent


@contextmanager
def page(report: Path, width: int, height: int, dark: bool = False) -> Iterator[webdriver.Chrome]:
    """The report in a window whose contents have this size, in pixels of CSS."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"))) as browser:
        screen: dict[str, Any] = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
        browser.get(report.resolve().as_uri())
        yield browser


def keep(browser: webdriver.Chrome, name: str) -> None:
    """What the window shows, in 64 colours, which a page of text has not."""
    image = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    image.quantize(64, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """Takes all pictures of the run that the command line names."""
    report = Path(sys.argv[1]) / "report" / "index.html"
    with page(report, 1280, 1000) as browser:
        keep(browser, "report")
    with page(report, 390, 1200) as browser:
        keep(browser, "phone")
    with page(report, 1280, 1100, dark=True) as browser:
        # the second fold is that of the target and the first baseline, with both answers to each problem
        fold = browser.find_elements(By.CSS_SELECTOR, "#flips details")[1]
        browser.execute_script("arguments[0].open = true; arguments[0].scrollIntoView()", fold)
        keep(browser, "flips-dark")


if __name__ == "__main__":
    main()
