// SPDX-License-Identifier: Apache-2.0
// Which page is shown, and when it is fetched again.

import * as pages from "/pages.js";
import { el } from "/dom.js";
import { language, onSystemTheme, switchLanguage, switchTheme, theme, words } from "/words.js";

const PERIOD = 2500; // ms between looks at what still changes
const main = document.getElementById("main"), live = document.getElementById("live");
let site = null, page = null, timer = 0, turn = 0;

function route(parts) {
  const [first, id, tab, a, b] = parts;
  if (parts.length === 0 && site.application) return pages.overview(site.application);
  if (parts.length === 0) return pages.home(site);
  if (first !== "app" || !id) throw new pages.NotFound();
  switch (tab ?? "overview") {
    case "overview": return pages.overview(id);
    case "jobs": return a === undefined ? pages.jobs(id) : pages.job(id, a);
    case "stages": return a === undefined ? pages.stages(id) : pages.stage(id, a, b ?? "0");
    case "sql": return a === undefined ? pages.sql(id) : pages.query(id, a, site);
    case "executors": return pages.executors(id);
    case "environment": return pages.environment(id);
    default: throw new pages.NotFound();
  }
}

function partsOf(hash) {
  try {
    return hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch { return ["?"]; }
}

function show(error) {
  const gone = error instanceof pages.NotFound;
  main.replaceChildren(el("div", { cls: `note ${gone ? "warn" : "bad"}` }, gone ? words().notFound : `${words().failed}: ${error.message}`), el("a", { href: "#/" }, words().applications));
}

function schedule(mine) {
  clearTimeout(timer);
  const running = page && !page.done();
  live.className = running ? "live on" : "live";
  live.textContent = running ? words().live : "";
  if (running) timer = setTimeout(() => update(mine), document.hidden ? 4 * PERIOD : PERIOD);
}

async function update(mine) {
  try {
    await page.refresh();
  } catch (error) {
    if (mine !== turn) return;
    live.className = "live lost";
    live.textContent = words().lost;
    timer = setTimeout(() => update(mine), 2 * PERIOD);
    return;
  }
  if (mine === turn) schedule(mine);
}

async function go(focus) {
  const mine = ++turn;
  clearTimeout(timer);
  labels();
  try {
    site ??= await pages.get("site");
    document.getElementById("place").textContent = site.title;
    const next = await route(partsOf(location.hash));
    await next.refresh();
    if (mine !== turn) return;
    page = next;
    main.replaceChildren(page.element);
    document.title = `${main.querySelector("h1")?.textContent ?? ""} · nbaspark`;
    if (focus) { main.focus({ preventScroll: true }); scrollTo(0, 0); }
    schedule(mine);
  } catch (error) {
    if (mine === turn) { page = null; show(error); }
  }
}

function labels() {
  document.documentElement.lang = language();
  document.documentElement.dataset.theme = theme();
  document.getElementById("language").textContent = words().other;
  document.getElementById("theme").textContent = theme() === "dark" ? words().light : words().dark;
  document.getElementById("skip").textContent = words().skip;
}

document.getElementById("language").addEventListener("click", () => { switchLanguage(); go(false); });
document.getElementById("theme").addEventListener("click", () => { switchTheme(); labels(); });
document.getElementById("skip").addEventListener("click", (e) => { e.preventDefault(); main.focus(); });
onSystemTheme(labels);
addEventListener("hashchange", () => go(true));
addEventListener("keydown", (e) => {
  if (e.key === "/" && !/^(input|select|textarea)$/i.test(e.target.tagName)) {
    const search = [...main.querySelectorAll("input[type=search]")].find((input) => input.offsetParent);
    if (search) { e.preventDefault(); search.focus(); }
  }
});
main.replaceChildren(el("div", { cls: "empty" }, words().loading));
go(false);
