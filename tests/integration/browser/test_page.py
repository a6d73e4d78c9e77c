"""The HTML report in a real browser: it works alone, by keyboard, on a phone, in the dark, and for a screen reader."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.browser.conftest import Open

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SCHEMES = ("light", "dark")
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
LEAST_CONTRAST = 4.5  # WCAG 2.2, AA, text of any size


def diff_of(page: Page, verdict: str) -> Locator:
    """The differing rows of a verdict, with their filter."""
    return page.locator(f"article[aria-labelledby={verdict}] [data-diff]")


def shown_rows(diff: Locator) -> int:
    """How many rows can be seen."""
    return diff.locator("[data-row]:visible").count()


def test_the_page_asks_for_nothing_and_says_nothing(open_report: Open, report: Path) -> None:
    """One request, for itself; no error, no dialog out of the hostile values, and its policy lets its own style in."""
    tab = open_report()
    tab.page.wait_for_load_state("networkidle")
    assert tab.requests == [report.as_uri()]
    assert tab.said == []
    assert tab.page.locator("img, iframe, object").count() == 0
    assert tab.page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "auto"


def test_its_policy_stops_everything_else(open_report: Open) -> None:
    """A script, a style or a picture that got in all the same would do nothing."""
    tab = open_report()
    failed: list[str | None] = []
    tab.page.on("requestfailed", lambda request: failed.append(request.failure))
    tab.page.evaluate(
        """() => {
            const put = (tag, more) => document.body.append(Object.assign(document.createElement(tag), more));
            put("script", { textContent: "window.ran = true" });
            put("img", { src: "http://127.0.0.1:9/x.png" });
            put("link", { rel: "stylesheet", href: "http://127.0.0.1:9/x.css" });
        }"""
    )
    for _ in range(100):
        if len(failed) == 2:
            break
        tab.page.wait_for_timeout(50)
    assert tab.page.evaluate("window.ran") is None
    assert failed == ["csp", "csp"]
    assert len([line for line in tab.said if "Content Security Policy" in line]) == 3


def test_rows_are_filtered_by_keyboard(open_report: Open) -> None:
    """Words narrow them down, whatever their case, the number is told, and Escape brings all of them back."""
    page = open_report().page
    diff = diff_of(page, "dag-2-rerun")
    assert shown_rows(diff) == 200
    diff.get_by_label("Filter rows").focus()
    page.keyboard.type("DUPLICATED 17")
    assert diff.locator("output").text_content() == "12 of 200 listed rows shown"  # 17, 117, and 170 to 179
    assert shown_rows(diff) == 12
    page.keyboard.press("Escape")
    assert shown_rows(diff) == 200


def test_kinds_are_chosen_by_keyboard(open_report: Open) -> None:
    """Tab leads from the filter to each kind, and the space bar takes it away; files have kinds, too."""
    page = open_report().page
    diff = diff_of(page, "dag-2-deterministic")
    every = shown_rows(diff)
    diff.get_by_label("Filter rows").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.kind") == "added"
    page.keyboard.press("Space")
    assert shown_rows(diff) == every - diff.locator("[data-row=added]").count()
    assert diff.locator("[data-row=added]:visible").count() == 0
    page.keyboard.press("Space")
    assert shown_rows(diff) == every


def test_without_scripts_everything_is_there(open_report: Open) -> None:
    """All rows, and nothing to press that would do nothing."""
    page = open_report(java_script_enabled=False).page
    assert shown_rows(diff_of(page, "dag-2-rerun")) == 200
    assert page.locator("button:visible, input:visible").count() == 0
    assert page.locator("pre:visible").count() == 3


def test_the_failure_text_can_be_copied(open_report: Open) -> None:
    """As it stands in the terminal, and a screen reader is told."""
    page = open_report(permissions=["clipboard-read", "clipboard-write"]).page
    block = page.locator("article[aria-labelledby=dag-2-rerun] .copyable")
    block.get_by_role("button", name="Copy").press("Enter")
    page.get_by_role("status").filter(has_text="Copied.").wait_for(state="attached")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == block.locator("pre").text_content()
    assert copied.startswith("orders_daily is not idempotent\n")


def test_a_verdict_in_the_matrix_leads_to_what_is_known_of_it(open_report: Open) -> None:
    """By keyboard, and its heading is on the screen then."""
    page = open_report().page
    page.get_by_role("link", name="falsified: non-idempotent").press("Enter")
    assert page.url.endswith("#dag-2-rerun")
    top = page.locator("#dag-2-rerun").evaluate("e => e.getBoundingClientRect().top")
    assert 0 <= top < 900


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_the_page_never_scrolls_sideways(open_report: Open, width: int) -> None:
    """Wide tables do, each in its own box, which the keyboard reaches."""
    page = open_report(width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.get_by_role("group", name="Rows of order_lines, scrollable")
    assert wide.evaluate("box => box.scrollWidth > box.clientWidth")
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("box => box.scrollLeft > 0", arg=wide.element_handle())


@pytest.mark.parametrize("color_scheme", SCHEMES)
def test_all_text_can_be_read(open_report: Open, color_scheme: str) -> None:
    """Its contrast is 4.5 or more, whatever it stands on."""
    page = open_report(color_scheme=color_scheme).page
    found = page.evaluate(CONTRAST)
    assert len(found) > 500
    assert [(text, round(ratio, 2)) for text, ratio in found if ratio < LEAST_CONTRAST] == []


def test_dark_is_dark(open_report: Open) -> None:
    """And light is light."""
    light, dark = (
        open_report(color_scheme=scheme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in SCHEMES
    )
    assert all(int(channel) > 230 for channel in re.findall(r"\d+", light))
    assert all(int(channel) < 40 for channel in re.findall(r"\d+", dark))


def test_what_has_the_focus_is_seen(open_report: Open) -> None:
    """An outline around each thing that Tab comes to."""
    page = open_report().page
    seen = set()
    while True:
        page.keyboard.press("Tab")
        name, style, width = page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                return [document.activeElement.tagName, style.outlineStyle, parseFloat(style.outlineWidth)];
            }"""
        )
        if name == "BODY":  # once around
            break
        assert (style, width >= 2) == ("solid", True), name
        seen.add(name)
    assert {"A", "BUTTON", "DIV", "INPUT", "PRE", "SUMMARY"} <= seen


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("color_scheme", SCHEMES)
def test_axe_finds_nothing(open_report: Open, color_scheme: str, width: int) -> None:
    """The rules of axe-core, all that it has."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(open_report(width=width, color_scheme=color_scheme).page)
    assert found.response["passes"]
    assert [(v["id"], [node["target"] for node in v["nodes"]]) for v in found.response["violations"]] == []


def test_a_screen_reader_gets_an_outline(open_report: Open) -> None:
    """Landmarks, headings by level, tables with their names, lists with their steps."""
    page = open_report().page
    for landmark in ("banner", "main"):
        assert page.get_by_role(landmark).count() == 1
    assert page.get_by_role("heading", level=1).all_text_contents() == ["Does a rerun leave identical rows?"]
    dags = page.get_by_role("heading", level=2).all_text_contents()
    assert dags[:3] == ["DAGs and laws", "consumer_users_daily", "orders_daily"]
    assert page.get_by_role("table", name="3 DAGs, 3 laws").get_by_role("rowheader").count() == 3
    assert page.get_by_role("group", name="Fault map of load_orders, messages").count() == 1
    tree = page.locator("article[aria-labelledby=dag-2-rerun]").aria_snapshot()
    assert 'heading "rerun: falsified, non-idempotent" [level=3]' in tree
    assert "2,000 rows" in tree
    assert '- searchbox "Filter rows"' in tree


def test_it_can_be_printed(open_report: Open) -> None:
    """On white, without what one could press, and no row is hidden in a box."""
    page = open_report(color_scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("button:visible, input:visible").count() == 0
    boxes = page.locator(".tall").evaluate_all("boxes => boxes.map(box => getComputedStyle(box).maxHeight)")
    assert set(boxes) == {"none"}
    assert [(text, ratio) for text, ratio in page.evaluate(CONTRAST) if ratio < LEAST_CONTRAST] == []
