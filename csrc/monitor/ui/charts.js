// SPDX-License-Identifier: Apache-2.0
// Timelines: bars from start to end, packed into as few lines as they need.

import { el, kindOf, span, svg } from "/dom.js";
import { words } from "/words.js";

const WIDTH = 1200, LEFT = 8, RIGHT = 8, LINE = 24, GAP = 5, TOP = 26;

function ticks(length) {
  const raw = length / 7, power = 10 ** Math.floor(Math.log10(Math.max(raw, 1e-3)));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const list = [];
  for (let t = 0; t <= length * 0.97; t += step) list.push(t); // the text of a later one would be cut off
  return list;
}

// Bars of one group (an executor) share lines; groups are below one another.
function pack(bars) {
  const names = [...new Set(bars.map((b) => b.group ?? ""))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const groups = new Map(names.map((name) => [name, []]));
  for (const bar of [...bars].sort((a, b) => a.start - b.start)) {
    const lanes = groups.get(bar.group ?? "");
    let lane = lanes.findIndex((end) => end <= bar.start);
    if (lane < 0) lane = lanes.push(0) - 1;
    lanes[lane] = Math.max(bar.end, bar.start);
    bar.lane = lane;
  }
  let first = 0;
  const starts = new Map();
  for (const [name, lanes] of groups) { starts.set(name, first); first += lanes.length; }
  for (const bar of bars) bar.lane += starts.get(bar.group ?? "");
  return { lanes: first, starts };
}

// bars: [{ start, end, label, title, status, href, group }] in ms
export function timeline(bars, { line = LINE } = {}) {
  if (bars.length === 0) return el("div", { cls: "empty" }, words().empty);
  const from = Math.min(...bars.map((b) => b.start)), until = Math.max(...bars.map((b) => b.end), from + 1);
  const named = bars.some((b) => b.group);
  const left = named ? 110 : LEFT;
  const scale = (WIDTH - left - RIGHT) / (until - from);
  const { lanes, starts } = pack(bars);
  const gap = line > 12 ? GAP : 2, height = TOP + lanes * (line + gap) + 4;
  const chart = svg("svg", { cls: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": words().timeline });
  for (const t of ticks(until - from)) {
    const x = left + t * scale;
    chart.append(svg("line", { cls: "grid", x1: x, x2: x, y1: TOP - 8, y2: height }), svg("text", { x: x + 3, y: 12 }, span(t)));
  }
  for (const [name, lane] of starts) {
    if (lane > 0) chart.append(svg("line", { cls: "grid", x1: 0, x2: WIDTH, y1: TOP + lane * (line + gap) - 1.5, y2: TOP + lane * (line + gap) - 1.5 }));
    if (name) chart.append(svg("text", { x: 0, y: TOP + lane * (line + gap) + Math.min(line, 13) }, name.slice(0, 16)));
  }
  for (const b of bars) {
    const x = left + (b.start - from) * scale, width = Math.max((b.end - b.start) * scale, 2.5), y = TOP + b.lane * (line + gap);
    const colour = { good: "b-good", bad: "b-bad", busy: "b-busy" }[kindOf(b.status)] ?? "b-grey";
    const room = Math.floor((width - 12) / 7.4);
    const bar = svg(b.href ? "a" : "g", { href: b.href, "aria-label": b.title }, svg("title", {}, b.title),
      svg("rect", { cls: colour, x, y, width, height: line, rx: Math.min(4, line / 3, width / 2) }),
      line >= 14 && room >= 3 && svg("text", { cls: "on", x: x + 7, y: y + line / 2 + 4 }, b.label.length > room ? b.label.slice(0, room - 1) + "…" : b.label));
    chart.append(bar);
  }
  return el("div", { cls: "chartframe", tabindex: 0, "aria-label": words().timeline }, chart);
}

export const legend = () => el("div", { cls: "legend" },
  [["good", "SUCCEEDED"], ["bad", "FAILED"], ["busy", "RUNNING"]].map(([cls, status]) => el("span", {}, el("i", { cls }), words().status[status])));
