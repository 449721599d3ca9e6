"""The pictures of a report in the documentation, taken from the quickstart's run by headless Chromium: `make pictures`.

python docs/images/make.py RUN      RUN: a run folder with a report
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


def main() -> None:
    """Takes all pictures of the run that the command line names."""
    report = Path(sys.argv[1]) / "report" / "index.html"
    with page(report, 1280, 1000) as browser:
        browser.save_screenshot(FOLDER / "report.png")
    with page(report, 390, 844) as browser:
        browser.save_screenshot(FOLDER / "phone.png")
    with page(report, 1280, 1100, dark=True) as browser:
        section = browser.find_element(By.ID, "flips")
        browser.execute_script("arguments[0].scrollIntoView()", section)
        browser.save_screenshot(FOLDER / "flips-dark.png")


if __name__ == "__main__":
    main()
