"""A newcomer in JupyterLab, in a real browser: runs cells, solves an exercise, and is told so."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from notebooks.__main__ import WITHOUT_NEWS
from notebooks.course.making import unexecuted, write
from notebooks.course.sources import NOTEBOOKS, lesson_named
from tests.integration.browser.conftest import FLAGS, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

__all__ = ["chromium"]

pytestmark = pytest.mark.deep

TOKEN = "newcomer"
LESSON = lesson_named("00")
#: Milliseconds: a machine that does other things, too, takes its time.
PATIENCE = 180_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab on a copy of the course, in which nothing has been run yet; its address."""
    copy = tmp_path_factory.mktemp("lab") / "notebooks"
    shutil.copytree(NOTEBOOKS, copy, ignore=shutil.ignore_patterns("work", "__pycache__", ".ipynb_checkpoints"))
    write(copy / f"{LESSON.name}.ipynb", unexecuted(LESSON))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = copy.parent / "home"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "JUPYTER"))}
    env |= {"HOME": str(home), "DAGPROOF_COURSE_WORK": str(copy.parent / "work")}
    options = [f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    options.append(WITHOUT_NEWS)
    with (copy.parent / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], cwd=copy, env=env, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api?token={TOKEN}")
        yield address
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(20)
        server.kill()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.5)
    pytest.fail(f"JupyterLab does not answer at {address}")


@pytest.fixture(scope="module")
def page(lab: str, chromium: str) -> Iterator[Page]:
    """The lesson, opened in a tab, with its kernel ready."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1400, "height": 1000})
        tab.set_default_timeout(PATIENCE)
        tab.goto(f"{lab}/lab/tree/{LESSON.name}.ipynb?token={TOKEN}")
        tab.locator(".jp-NotebookPanel .jp-CodeCell").first.wait_for()
        tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
        yield tab
        browser.close()


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the window, where DAGPROOF_SCREENSHOTS names a folder."""
    if folder := os.environ.get("DAGPROOF_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder, f"{name}.png")))


def cell_with(page: Page, text: str) -> Locator:
    """The cell of code in which a text stands."""
    return page.locator(".jp-CodeCell").filter(has=page.locator(".cm-content", has_text=text)).first


def run_cell(page: Page, text: str, says: str) -> None:
    """Run a cell as people do, and wait until its output says something."""
    cell = cell_with(page, text)
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    cell.locator(".jp-OutputArea-output", has_text=says).first.wait_for()


def test_a_newcomer_gets_a_first_run_and_solves_an_exercise(page: Page) -> None:
    """From the first cell on: a picture is a picture, and a check tells what is missing, and then that it is right."""
    run_cell(page, 'start("00")', "ready.")
    assert not page.get_by_text("Jupyter news").count()
    run_cell(page, "well = doctor()", "✓ PostgreSQL answers")
    shoot(page, "1-doctor")
    run_cell(page, "%%dag greetings_daily", "dags/greetings_daily.py is written.")
    run_cell(page, 'first = run("greetings_daily"', "failed in task greet")
    run_cell(page, "tasks(first)", "UndefinedTable")
    cell = cell_with(page, "timeline(first)")
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    cell.locator(".jp-RenderedSVG img, .jp-RenderedSVG svg").first.wait_for()
    shoot(page, "2-timeline")
    run_cell(page, "%%dag my_first_dag", "dags/my_first_dag.py is written.")
    run_cell(page, "q1.check()", "not attempted")
    shoot(page, "3-not-attempted")
    starter = cell_with(page, "%%dag my_first_dag")
    starter.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(LESSON.exercises["q1"].one("solution").notebook_text)
    page.keyboard.press("Shift+Enter")
    starter.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for()
    run_cell(page, "q1.check()", "✓ correct")
    shoot(page, "4-correct")
    assert "Traceback" not in page.locator(".jp-Notebook").inner_text()
