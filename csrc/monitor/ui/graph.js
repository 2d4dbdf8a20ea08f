// SPDX-License-Identifier: Apache-2.0
// A physical plan as a graph: sources on top, the result below, rows on the edges, time and bytes on the operators.

import { bytes, el, number, short, span, svg } from "/dom.js";
import { words } from "/words.js";

const W = 232, H = 84, GAP_X = 30, GAP_Y = 54, PAD = 26;
const SIZES = ["data size", "size of files read", "shuffle bytes written", "written output", "spill size", "peak memory"];

const inMs = (m) => (m.type === "ns" ? m.total / 1e6 : m.total);
const isTime = (m) => m.type === "ns" || m.type === "ms";

export function figures(node) {
  const find = (name) => node.metrics.find((m) => m.name === name);
  const times = node.metrics.filter(isTime);
  const time = find("time") ?? find("duration") ?? times.sort((a, b) => inMs(b) - inMs(a))[0];
  const size = SIZES.map(find).find((m) => m && m.total > 0);
  const rows = find("number of output rows") ?? find("shuffle records written") ?? find("records read");
  return { rows: rows?.total, ms: time && inMs(time), size: size?.total, sizeName: size?.name };
}

export function metricText(m) {
  const one = (v) => (m.type === "size" ? bytes(v) : m.type === "ns" ? span(v / 1e6) : m.type === "ms" ? span(v) : m.type === "average" ? number(v / 10) : number(v));
  return { total: one(m.total), spread: m.count > 1 && m.max !== undefined ? `${one(m.min)} · ${one(m.median)} · ${one(m.max)}` : null };
}

// Places nodes: depth below the root, side by side as wide as what feeds them.
function layout(graph) {
  const nodes = new Map(graph.nodes.filter((n) => !n.isCluster).map((n) => [n.id, { ...n, from: [], x: 0, depth: 0 }]));
  const fed = new Set();
  for (const e of graph.edges) {
    if (!nodes.has(e.fromId) || !nodes.has(e.toId)) continue;
    nodes.get(e.toId).from.push(e.fromId);
    fed.add(e.fromId);
  }
  const roots = [...nodes.values()].filter((n) => !fed.has(n.id));
  const placed = new Set();
  let right = 0;
  // without recursion: plans may be deep
  for (const root of roots) {
    const stack = [{ node: root, depth: 0, next: 0, own: [] }];
    placed.add(root.id);
    while (stack.length) {
      const top = stack[stack.length - 1];
      top.node.depth = Math.max(top.node.depth, top.depth);
      if (top.next < top.node.from.length) {
        const child = nodes.get(top.node.from[top.next++]);
        if (placed.has(child.id)) continue;
        placed.add(child.id);
        top.own.push(child);
        stack.push({ node: child, depth: top.depth + 1, next: 0, own: [] });
        continue;
      }
      if (top.own.length) top.node.x = (top.own[0].x + top.own[top.own.length - 1].x) / 2;
      else { top.node.x = right; right += W + GAP_X; }
      stack.pop();
    }
  }
  const deepest = Math.max(0, ...[...nodes.values()].map((n) => n.depth));
  for (const n of nodes.values()) { n.x += PAD; n.y = PAD + (deepest - n.depth) * (H + GAP_Y); }
  return { nodes, width: Math.max(right - GAP_X, W) + 2 * PAD, height: (deepest + 1) * (H + GAP_Y) - GAP_Y + 2 * PAD };
}

function detail(node, cluster) {
  const w = words();
  if (!node) return [el("h2", {}, w.operator), el("p", { cls: "dim" }, w.planHint)];
  const rows = (list) => list.flatMap((m) => {
    const { total, spread } = metricText(m);
    return [el("dt", {}, m.name), el("dd", {}, total, spread && el("small", { title: `${w.least} · ${w.median} · ${w.most}` }, spread))];
  });
  return [el("h2", {}, node.name), el("pre", {}, node.text),
    node.metrics.length ? el("dl", {}, rows(node.metrics)) : el("p", { cls: "dim" }, w.noMetrics),
    cluster && el("h2", { style: { marginTop: "16px" } }, cluster.name), cluster && el("dl", {}, rows(cluster.metrics))];
}

export function planView(graph) {
  const w = words(), { nodes, width, height } = layout(graph);
  const clusters = new Map(graph.nodes.filter((n) => n.isCluster).map((n) => [n.id, n]));
  const all = [...nodes.values()].map((n) => ({ n, f: figures(n) }));
  const totalMs = all.reduce((sum, { f }) => sum + (f.ms ?? 0), 0);
  const mostRows = Math.max(1, ...all.map(({ f }) => f.rows ?? 0));
  const side = el("div", { cls: "card detail", "aria-live": "polite" }, detail(null));
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": w.plan });
  for (const e of graph.edges) {
    const a = nodes.get(e.fromId), b = nodes.get(e.toId);
    if (!a || !b) continue;
    const rows = figures(a).rows;
    const x1 = a.x + W / 2, y1 = a.y + H, x2 = b.x + W / 2, y2 = b.y, middle = (y1 + y2) / 2;
    drawing.append(svg("path", { cls: "edge", d: `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`, "stroke-width": rows === undefined ? 1.5 : 1.5 + (6 * Math.log10(1 + rows)) / Math.max(Math.log10(1 + mostRows), 1) }));
    if (rows !== undefined) drawing.append(svg("text", { cls: "rows", x: x1 + (x2 > x1 ? -9 : 9), y: y1 + 17, "text-anchor": x2 > x1 ? "end" : "start" }, `${short(rows)} ${w.rows}`));
  }
  let chosen = null;
  const choose = (box, n) => {
    chosen?.setAttribute("aria-pressed", "false");
    box.setAttribute("aria-pressed", "true");
    chosen = box;
    side.replaceChildren(...detail(n, clusters.get(n.cluster)).filter(Boolean));
  };
  for (const { n, f } of all) {
    const part = totalMs > 0 && f.ms ? f.ms / totalMs : 0;
    const cut = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
    const what = n.text.startsWith(n.name) ? n.text.slice(n.name.length).trim() : n.text;
    const texts = [f.ms !== undefined && span(f.ms) + (part >= 0.01 ? ` · ${Math.round(part * 100)} %` : ""), f.size !== undefined && bytes(f.size)].filter(Boolean);
    const box = svg("g", { cls: "node", transform: `translate(${n.x} ${n.y})`, tabindex: 0, role: "button", "aria-pressed": "false",
      "aria-label": [n.name, f.rows !== undefined && `${number(f.rows)} ${w.rows}`, ...texts].filter(Boolean).join(", ") },
      svg("title", {}, n.text.slice(0, 1000)), svg("rect", { cls: "box", width: W, height: H, rx: 10 }),
      svg("text", { cls: "name", x: 13, y: 23 }, cut(n.name, 26)), svg("text", { cls: "what", x: 13, y: 40 }, cut(what, 31)),
      svg("text", { cls: "fig", x: 13, y: 60 }, texts[0] ?? ""), svg("text", { cls: "fig", x: W - 13, y: 60, "text-anchor": "end" }, texts[1] ?? (n.cluster >= 0 ? clusters.get(n.cluster)?.name.replace("WholeStageCodegen ", "codegen ") ?? "" : "")),
      svg("rect", { cls: "track", x: 13, y: 69, width: W - 26, height: 5, rx: 2.5 }), part > 0 && svg("rect", { cls: "heat", x: 13, y: 69, width: Math.max((W - 26) * part, 3), height: 5, rx: 2.5 }));
    box.addEventListener("click", () => choose(box, n));
    box.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); choose(box, n); } });
    drawing.append(box);
  }
  const frame = el("div", { cls: "plan", tabindex: 0, "aria-label": w.plan }, drawing);
  let zoom = 1;
  const apply = () => { drawing.setAttribute("width", width * zoom); drawing.setAttribute("height", height * zoom); };
  const fit = () => { zoom = Math.min(1, Math.max(0.35, (frame.clientWidth - 4) / width)); apply(); };
  const by = (factor) => () => { zoom = Math.min(2.5, Math.max(0.15, zoom * factor)); apply(); };
  apply();
  requestAnimationFrame(fit);
  const button = (text, fn) => el("button", { type: "button", cls: "quiet", onclick: fn }, text);
  return el("div", { cls: "side" }, el("section", { cls: "card" }, el("div", { cls: "tools" }, el("h2", {}, w.plan), el("span", { cls: "grow" }), button(w.fit, fit), button(w.zoomOut, by(0.8)), button(w.zoomIn, by(1.25))), frame), side);
}
