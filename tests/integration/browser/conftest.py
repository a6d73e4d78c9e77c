"""A real Chromium without a window, and the page about everything in it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.example_proofs import everything

from dagproof.report.html import write_html
from tests.conftest import NOT_SEEN

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox",  # it has none for root, and opens nothing but our own page
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Opened:
    """The page in a tab, and what the tab has done since it was opened."""

    page: Page
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """What stands on the console, errors of scripts, and dialogs."""

    def dismiss(self, dialog: Dialog) -> None:
        """Note what a dialog says, and close it."""
        self.said.append(dialog.message)
        dialog.dismiss()


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; skip without one, or fail where DAGPROOF_REQUIRE_BROWSER=1 says that there is one."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    problem = None if found else f"none of {', '.join(NAMES)} is installed"
    if importlib.util.find_spec("playwright") is None:
        problem = "playwright is not installed (dependency group browser)"
    if problem and os.environ.get("DAGPROOF_REQUIRE_BROWSER") == "1":
        pytest.fail(f"DAGPROOF_REQUIRE_BROWSER=1, but {problem}", pytrace=False)
    if problem:
        pytest.skip(f"{NOT_SEEN}: {problem}")
    return str(found)


@pytest.fixture(scope="module")  # its event loop is in the way of others', so that it ends with the file
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium, running."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page about everything, in a file."""
    path = tmp_path_factory.mktemp("report") / "proof.html"
    write_html(path, everything())
    return path


@pytest.fixture
def open_report(browser: Browser, report: Path) -> Iterator[Open]:
    """Open the page in a tab of its own: ``open_report(width=400, color_scheme="dark")``."""
    contexts = []

    def opened(width: int = 1280, **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        tab = Opened(context.new_page())
        tab.page.on("request", lambda request: tab.requests.append(request.url))
        tab.page.on("console", lambda message: tab.said.append(message.text))
        tab.page.on("pageerror", lambda error: tab.said.append(str(error)))
        tab.page.on("dialog", tab.dismiss)
        tab.page.goto(report.as_uri())
        return tab

    yield opened
    for context in contexts:
        context.close()
