// SPDX-License-Identifier: Apache-2.0
// Tables that can be sorted, filtered and paged, here or by the server, and keep their state while their rows change.
//
//   columns: [{ key, title, cell(row) → node or text, value(row) → what to sort by (none: not sortable), num, cls, sort: name for the server }]
//   options: { name, title, size, search(row) → text, start: [key, down], fetch({ offset, length, sort, down }) → { rows, total }, empty }

import { el, number } from "/dom.js";
import { words } from "/words.js";

const states = new Map();

export class Table {
  constructor(columns, options) {
    this.columns = columns;
    this.options = { size: 25, ...options };
    const [key, down] = this.options.start ?? [null, false];
    if (!states.has(options.name)) states.set(options.name, { key, down, page: 0, filter: "" });
    this.state = states.get(options.name);
    this.rows = [];
    this.body = el("tbody");
    this.heads = columns.map((c) => this.head(c));
    this.count = el("span", { "aria-live": "polite" });
    this.previous = el("button", { type: "button", cls: "quiet", onclick: () => this.turn(-1) }, words().back);
    this.next = el("button", { type: "button", cls: "quiet", onclick: () => this.turn(1) }, words().next);
    this.pager = el("div", { cls: "pager" }, this.count, this.previous, this.next);
    const search = options.search && el("input", { type: "search", placeholder: words().filter, "aria-label": words().filter, value: this.state.filter,
      oninput: (e) => { this.state.filter = e.target.value; this.state.page = 0; this.draw(); } });
    this.element = el("section", { cls: "card" },
      (options.title || search || options.tools) && el("div", { cls: "tools" }, options.title && el("h2", {}, options.title), el("span", { cls: "grow" }), options.tools, search && el("label", {}, search)),
      el("div", { cls: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, this.heads)), this.body)), this.pager);
  }

  head(c) {
    const cls = c.num ? "num" : null;
    if (!c.value && !c.sort) return el("th", { cls, scope: "col" }, el("span", {}, c.title));
    return el("th", { cls, scope: "col" }, el("button", { type: "button", onclick: () => this.sortBy(c) }, c.title));
  }

  sortBy(c) {
    const s = this.state;
    s.down = s.key === c.key ? !s.down : Boolean(c.num);
    s.key = c.key;
    s.page = 0;
    this.draw();
  }

  turn(by) { this.state.page += by; this.draw(); }

  update(rows) { this.rows = rows; return this.draw(); }

  arrange() {
    const s = this.state, c = this.columns.find((x) => x.key === s.key);
    const wanted = s.filter.trim().toLowerCase();
    let rows = wanted ? this.rows.filter((r) => this.options.search(r).toLowerCase().includes(wanted)) : this.rows;
    if (c?.value) {
      const keyed = rows.map((row, i) => ({ row, i, v: c.value(row) }));
      keyed.sort((a, b) => {
        const order = typeof a.v === "string" ? a.v.localeCompare(b.v) : (a.v ?? -Infinity) - (b.v ?? -Infinity);
        return (s.down ? -order : order) || a.i - b.i;
      });
      rows = keyed.map((k) => k.row);
    }
    const first = s.page * this.options.size;
    return { rows: rows.slice(first, first + this.options.size), total: rows.length };
  }

  async draw() {
    const s = this.state, size = this.options.size;
    let got;
    if (this.options.fetch) {
      const c = this.columns.find((x) => x.key === s.key);
      const asked = (this.asked = Symbol());
      got = await this.options.fetch({ offset: s.page * size, length: size, sort: c?.sort, down: s.down });
      if (asked !== this.asked) return;
    } else {
      s.page = Math.max(0, Math.min(s.page, Math.ceil(this.rows.length / size) - 1));
      got = this.arrange();
    }
    this.columns.forEach((c, i) => {
      if (c.key === s.key) this.heads[i].setAttribute("aria-sort", s.down ? "descending" : "ascending");
      else this.heads[i].removeAttribute("aria-sort");
    });
    this.body.replaceChildren(...got.rows.map((row) => el("tr", {}, this.columns.map((c) => el("td", { cls: [c.num && "num", c.cls].filter(Boolean).join(" ") || null }, c.cell(row))))));
    if (got.rows.length === 0) this.body.append(el("tr", {}, el("td", { colspan: this.columns.length, cls: "empty" }, this.options.empty ?? words().empty)));
    const first = s.page * size;
    this.count.textContent = got.total ? words().page(number(first + 1), number(first + got.rows.length), number(got.total)) : "";
    this.previous.disabled = s.page === 0;
    this.next.disabled = first + got.rows.length >= got.total;
    this.pager.hidden = got.total <= size && s.page === 0;
    if (this.pager.hidden) this.pager.style.display = "none"; else this.pager.style.display = "";
  }
}
