# SPDX-License-Identifier: Apache-2.0
"""The pages of a master with three workers and applications that run, in Chromium; a query is stopped from its page.

Pictures of what was seen go to build/ui; docs/pictures/make.py makes those of the manual of them.
"""

import json
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from webdriver import Browser

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cluster"))

from harness import Cluster  # noqa: E402

PICTURES = Path(__file__).resolve().parents[2] / "build/ui"
TOKEN = "token-of-the-test"
LONG = "SELECT a.id % 7 AS k, sum(a.id * b.id % 11) AS s FROM range(30000000) a, range(20000) b GROUP BY 1"


class Guarded(Cluster):
    """A cluster whose pages want a token."""

    def start_master(self):
        self.conf.write_text(
            f"nbaspark.cluster.minRows 1\nspark.worker.timeout 20s\nnbaspark.ui.token {TOKEN}\n"
        )
        super().start_master()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = Guarded(tmp_path_factory.mktemp("cluster"))
    for _ in range(3):
        made.add(cores=1, memory="1g")
    yield made
    made.stop()


def address(cluster, process):
    port = cluster._wait(process.log, r"web pages? at http://127\.0\.0\.1:(\d+)").group(1)
    return f"http://127.0.0.1:{port}/"


def session(cluster, name):
    from nbaspark.sql import SparkSession

    return SparkSession.builder.remote(f"sc://127.0.0.1:{cluster.port}").appName(name).create()


@pytest.fixture(scope="module")
def applications(cluster):
    """Two applications: one has ended, one is at work on a query that takes hours."""
    first = session(cluster, "Vendas do mês")
    rows = first.range(2_000_000).selectExpr("id % 100 AS loja", "id AS valor")
    rows.createOrReplaceTempView("vendas")
    first.sql("SELECT loja, sum(valor) AS total FROM vendas GROUP BY loja ORDER BY total").collect()
    first.sql("SELECT count(DISTINCT valor) FROM vendas WHERE loja < 50").collect()
    first.stop()
    second = session(cluster, "Customer segments")
    second.range(1_000_000).groupBy("id").count().count()
    outcome = []

    def run():
        try:
            outcome.append(second.sql(LONG).collect())
        except Exception as e:
            outcome.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    yield thread, outcome
    second.interruptAll()
    thread.join(20)
    second.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    PICTURES.mkdir(parents=True, exist_ok=True)
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def ask(url, path, token=None, **headers):
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return urllib.request.Request(url + path, headers=headers)


def running_query(url):
    """Return the id of the running application and of its running query."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        apps = json.load(urllib.request.urlopen(ask(url, "api/v1/applications", TOKEN)))
        for app in apps:
            path = f"api/v1/applications/{app['id']}/sql?details=false"
            for query in json.load(urllib.request.urlopen(ask(url, path, TOKEN))):
                if query["status"] == "RUNNING" and "SELECT" in query["description"]:
                    return app["id"], query["id"]
        time.sleep(0.05)
    raise AssertionError("no query runs")


def visit(browser, url, path, ready):
    browser.open(url + path)
    browser.wait("return document.querySelector(arguments[0])", ready)


def shots(browser, name):
    """Take the page light, dark, in Portuguese and on a phone."""
    browser.resize(1280, 900)
    browser.picture(PICTURES / f"{name}_light.png")
    browser.run("document.getElementById('theme').click()")
    browser.picture(PICTURES / f"{name}_dark.png")
    browser.run("document.getElementById('theme').click()")
    browser.run("document.getElementById('language').click()")
    browser.wait("return document.documentElement.lang === 'pt-BR' && document.querySelector('h1')")
    browser.picture(PICTURES / f"{name}_pt.png")
    browser.resize(500, 900)
    wide, window = browser.run("return [document.documentElement.scrollWidth, innerWidth]")
    browser.picture(PICTURES / f"{name}_phone.png")
    browser.resize(1280, 900)
    browser.run("localStorage.clear()")
    assert wide <= window, name


def test_pages_of_a_cluster_at_work(cluster, applications, browser):
    url = address(cluster, cluster.master)
    app, query = running_query(url)
    browser.open(url + "?token=" + TOKEN)
    browser.wait("return document.querySelectorAll('main tbody tr').length >= 5")
    main = browser.run("return document.querySelector('main').innerText")
    assert "Vendas do mês" in main and "Customer segments" in main
    assert "3/3" in main and main.count("Alive") == 3
    shots(browser, "master")
    for name, path in (
        ("app", ""),
        ("app_jobs", "/jobs"),
        ("app_stages", "/stages"),
        ("app_sql", "/sql"),
        ("app_executors", "/executors"),
        ("app_query", f"/sql/{query}"),
    ):
        visit(browser, url, f"#/app/{app}{path}", "nav.tabs a[aria-current]")
        browser.wait("return document.querySelector('main tbody tr, main .plan, main svg')")
        shots(browser, name)
    assert [e for e in browser.errors() if "404" not in e] == []


def test_the_page_of_a_worker(cluster, applications, browser):
    worker = address(cluster, cluster.workers[0])
    browser.open(worker + "?token=" + TOKEN)
    browser.wait("return document.querySelector('main h1')")
    shots(browser, "worker")
    assert [e for e in browser.errors() if "404" not in e] == []


def refused(request):
    request.method = "POST"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    return caught.value.code


def test_who_may_stop_a_query(cluster, applications):
    url = address(cluster, cluster.master)
    app, query = running_query(url)
    path = f"api/v1/kill?app={app}&execution={query}"
    assert refused(ask(url, path)) == 401
    assert refused(ask(url, path, "wrong")) == 401
    assert refused(ask(url, path, TOKEN, **{"Sec-Fetch-Site": "cross-site"})) == 403
    assert refused(ask(url, "api/v1/applications", TOKEN)) == 405
    assert refused(ask(url, f"api/v1/kill?app={app}&execution=999999", TOKEN)) == 404
    assert refused(ask(url, f"api/v1/kill?app=x&execution={query}", TOKEN)) == 404
    thread, outcome = applications
    assert thread.is_alive() and not outcome


def test_without_a_token_nobody_stops_anything(tmp_path):
    plain = Cluster(tmp_path)
    try:
        assert refused(ask(address(plain, plain.master), "api/v1/kill?app=x&execution=0")) == 405
        assert not json.loads(plain.page(plain.master, "/api/v1/site"))["kill"]
    finally:
        plain.stop()


def test_a_query_is_stopped_from_its_page(cluster, applications, browser):
    thread, outcome = applications
    url = address(cluster, cluster.master)
    app, query = running_query(url)
    browser.open(url + "?token=" + TOKEN)
    visit(browser, url, f"#/app/{app}/sql/{query}", "button.stop")
    browser.run("document.querySelector('button.stop').click()")
    assert (
        browser.run("return document.querySelector('button.stop').textContent") == "Really stop it?"
    )
    assert thread.is_alive()
    browser.run("document.querySelector('button.stop').click()")
    thread.join(20)
    assert not thread.is_alive() and "OPERATION_CANCELED" in str(outcome[0])
    browser.wait(
        "return !document.querySelector('button.stop') && document.querySelector('.head .chip.bad')"
    )
    browser.picture(PICTURES / "stopped.png")
