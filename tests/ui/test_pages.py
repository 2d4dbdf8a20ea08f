# SPDX-License-Identifier: Apache-2.0
"""The pages in Chromium: what they show, how they are used, that names of strangers stay text.

Pictures of what was seen go to build/ui.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest
import zstandard
from make_log import HOSTILE, lines
from webdriver import Browser

TOP = Path(__file__).resolve().parents[2]
RECORDED = TOP / "tests/data/oracle/event_logs"
PICTURES = TOP / "build/ui"
BIG = "app-20261128-0001"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    (folder / "big").write_text("\n".join(lines()) + "\n")
    for name in ("spark", "ours"):
        text = zstandard.decompress(
            (RECORDED / f"{name}.zst").read_bytes(), max_output_size=1 << 26
        )
        (folder / name).write_bytes(text)
    command = [TOP / "build/release/nbasparkd", "history", "--dir", folder, "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    found = re.search(r"http://[\d.]+:\d+", process.stderr.readline())
    yield found.group() + "/"
    process.terminate()
    process.stderr.close()
    assert process.wait(20) == 0


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    PICTURES.mkdir(parents=True, exist_ok=True)
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium, site):
    chromium.resize(1280, 900)
    chromium.open(site)
    chromium.run("localStorage.clear()")
    yield chromium
    assert [e for e in chromium.errors() if "404" not in e] == []
    assert "pwned" not in chromium.run("return document.title.replace(arguments[0], '')", HOSTILE)


def text(browser, selector="main"):
    return browser.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)


def visit(browser, site, path, ready):
    browser.open(site + path)
    browser.wait("return document.querySelector(arguments[0])", ready)


def app_of(name):
    return json.loads((RECORDED / f"{name}.json").read_text())[""]["id"]


def test_the_list_of_applications(browser, site):
    visit(browser, site, "", "tbody a")
    assert "Segments & <b>groups</b>" in text(browser)
    assert HOSTILE in text(browser)
    assert browser.run("return document.images.length") == 1
    browser.press("/")
    assert browser.run("return document.activeElement.type") == "search"
    for letter in "zzz":
        browser.press(letter)
    browser.wait("return document.querySelector('td.empty')")
    browser.picture(PICTURES / "list.png")


@pytest.mark.parametrize("tab", ["", "/jobs", "/stages", "/sql", "/executors", "/environment"])
@pytest.mark.parametrize("name", ["spark", "ours"])
def test_every_page_of_an_application(browser, site, name, tab):
    visit(browser, site, f"#/app/{app_of(name)}{tab}", "nav.tabs a[aria-current]")
    browser.wait("return document.querySelectorAll('main tbody tr').length > 0")
    if tab in ("", "/jobs"):
        assert browser.run("return document.querySelectorAll('svg.chart a').length") >= 3
    browser.picture(PICTURES / f"{name}{tab.replace('/', '_')}.png")


def test_a_plan_as_a_graph(browser, site):
    visit(browser, site, f"#/app/{app_of('ours')}/sql/0", ".plan .node")
    names = browser.run(
        "return [...document.querySelectorAll('.node .name')].map(n => n.textContent)"
    )
    assert "Range" in names and "HashAggregate" in names
    assert "20 k rows" in browser.run("return document.querySelector('.plan').textContent")
    browser.run(
        "[...document.querySelectorAll('.node')].find(n => n.textContent.includes('HashJoin')).focus()"
    )
    browser.press("\ue007")  # Enter
    assert "20,000" in text(browser, ".detail")
    assert browser.run("return document.querySelectorAll('.node[aria-pressed=true]').length") == 1
    browser.picture(PICTURES / "plan.png")


def test_tasks_are_sorted_filtered_and_paged_by_the_server(browser, site):
    visit(browser, site, f"#/app/{BIG}/stages/3/0", "td.num")
    table = "[...document.querySelectorAll('section.card')].pop()"
    browser.wait(f"return {table}.querySelectorAll('tbody tr').length === 50")
    assert "of 1,000" in browser.run(f"return {table}.querySelector('.pager').textContent")
    duration = f"[...{table}.querySelectorAll('th button')].find(b => b.textContent === 'Duration')"
    first = browser.run(f"return {table}.querySelector('tbody').textContent")
    browser.run(f"{duration}.click()")
    browser.wait(f"return {table}.querySelector('tbody').textContent !== arguments[0]", first)
    assert browser.run(f"return {duration}.parentElement.getAttribute('aria-sort')") == "descending"
    browser.run(
        f"const s = {table}.querySelector('select'); s.value = 'FAILED'; s.dispatchEvent(new Event('change'))"
    )
    browser.wait(
        f"return [...{table}.querySelectorAll('.chip')].every(c => c.textContent === 'Failed')"
    )
    browser.picture(PICTURES / "stage.png")


def test_names_of_strangers_are_text_everywhere(browser, site):
    pages = [
        "",
        "/jobs",
        "/jobs/0",
        "/stages",
        "/stages/0/0",
        "/sql",
        "/sql/0",
        "/executors",
        "/environment",
    ]
    for page in pages:
        visit(browser, site, f"#/app/{BIG}{page}", "nav.tabs")
        browser.wait("return document.querySelector('main tbody, main .plan')")
        assert HOSTILE in text(browser), page
        assert browser.run("return document.querySelectorAll('main script, main img').length") == 0
    assert browser.run("return document.querySelectorAll('a[href^=javascript]').length") == 0


def test_two_languages_and_two_themes(browser, site):
    visit(browser, site, "", "tbody a")
    browser.run("document.getElementById('language').click()")
    browser.wait("return document.querySelector('h1')?.textContent === 'Histórico'")
    assert browser.run("return document.documentElement.lang") == "pt-BR"
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")
    browser.run("document.getElementById('theme').click()")
    assert browser.run("return getComputedStyle(document.body).backgroundColor") != ground
    browser.picture(PICTURES / "portuguese.png")


def test_a_phone(browser, site):
    browser.resize(500, 900)
    for page in ("", f"#/app/{BIG}", f"#/app/{BIG}/stages/3/0", f"#/app/{app_of('spark')}/sql/0"):
        visit(browser, site, page, "main h1")
        wide, window = browser.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= window, page
    browser.picture(PICTURES / "phone.png")


def test_the_keyboard_reaches_everything(browser, site):
    visit(browser, site, f"#/app/{app_of('ours')}/jobs", "tbody a")
    seen = set()
    for _ in range(60):
        browser.press("\ue004")  # Tab
        seen.add(
            browser.run(
                "const e = document.activeElement; return e.tagName + ' ' + e.textContent.trim().slice(0, 20)"
            )
        )
    assert "A Skip to content" in seen and "A Stages" in seen and "BUTTON Duration" in seen
    assert any(s.startswith("INPUT") for s in seen)


def test_what_is_not_there(browser, site):
    browser.open(site + "#/app/nothing")
    browser.wait("return document.querySelector('.note')")
    assert "nothing here" in text(browser)
    browser.open(site + "#/%zz/%")
    browser.wait("return document.querySelector('.note')")
    browser.errors()
