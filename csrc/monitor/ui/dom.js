// SPDX-License-Identifier: Apache-2.0
// Elements and texts. Nothing here or elsewhere makes markup from strings: names and SQL of strangers are always text nodes or attributes.

import { language, words } from "/words.js";

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(element.style, value);
    else element.setAttribute(key === "cls" ? "class" : key, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

export const el = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);
export const svg = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

// A link inside of these pages; parts are encoded.
export const to = (...parts) => "#/" + parts.map((p) => encodeURIComponent(p)).join("/");
export const link = (text, ...parts) => el("a", { href: to(...parts) }, text);

export const millis = (text) => (text ? Date.parse(text.replace("GMT", "Z")) : NaN);

export function number(n) {
  return n === undefined || n === null ? "–" : Number(n).toLocaleString(language());
}

// 1,234,567 → 1.2 M; for places where space is short.
export function short(n) {
  if (n === undefined || n === null) return "–";
  for (const [size, unit] of [[1e9, " G"], [1e6, " M"], [1e4, " k"]]) {
    if (Math.abs(n) >= size) return (n / (size === 1e4 ? 1e3 : size)).toLocaleString(language(), { maximumFractionDigits: 1 }) + unit;
  }
  return number(n);
}

export function bytes(n) {
  if (n === undefined || n === null || n < 0) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
  return n.toLocaleString(language(), { maximumFractionDigits: i ? 1 : 0 }) + " " + units[i];
}

export function span(ms) {
  if (ms === undefined || ms === null || Number.isNaN(ms)) return "–";
  const few = (x, d) => x.toLocaleString(language(), { maximumFractionDigits: d });
  if (ms < 1) return ms > 0 ? few(ms * 1000, 0) + " µs" : "0 ms";
  if (ms < 1000) return few(ms, ms < 10 ? 1 : 0) + " ms";
  if (ms < 60000) return few(ms / 1000, 1) + " s";
  if (ms < 3600000) return Math.floor(ms / 60000) + " min " + Math.floor((ms % 60000) / 1000) + " s";
  return Math.floor(ms / 3600000) + " h " + Math.floor((ms % 3600000) / 60000) + " min";
}

export function when(ms) {
  if (!ms || Number.isNaN(ms) || ms < 0) return "–";
  return new Date(ms).toLocaleString(language(), { dateStyle: "medium", timeStyle: "medium" });
}

export const clock = (ms) => new Date(ms).toLocaleTimeString(language());

const KINDS = {
  SUCCEEDED: "good", COMPLETE: "good", COMPLETED: "good", SUCCESS: "good", ALIVE: "good", FINISHED: "good",
  FAILED: "bad", KILLED: "bad", DEAD: "bad", LOST: "bad",
  RUNNING: "busy", ACTIVE: "busy", PENDING: "", SKIPPED: "", UNKNOWN: "warn", DECOMMISSIONED: "warn", WAITING: "warn",
};
export const kindOf = (status) => KINDS[status] ?? "";
export const chip = (status) => el("span", { cls: `chip ${kindOf(status)}` }, words().status[status] ?? status);

// How many of a number of tasks are done, failed, under way.
export function meter(done, failed, busy, total, skipped = 0) {
  const all = Math.max(total, done + failed + busy + skipped, 1);
  const part = (cls, n) => n > 0 && el("i", { cls, style: { width: `${(100 * n) / all}%` } });
  return el("div", { cls: "meter", title: words().meter(done, failed, busy, total) },
    el("div", { cls: "track" }, part("", done), part("bad", failed), part("busy", busy), part("grey", skipped)),
    el("span", {}, `${number(done)}/${number(total)}`));
}

export const share = (used, all, text) =>
  el("div", { cls: "meter" }, el("div", { cls: "track" }, el("i", { cls: "busy", style: { width: `${all ? (100 * used) / all : 0}%` } })), el("span", {}, text));

export const fact = (key, value, small) =>
  el("div", { cls: "fact" }, el("div", { cls: "k" }, key), el("div", { cls: "v" }, value), small && el("div", { cls: "s" }, small));

export const facts = (...list) => el("div", { cls: "facts" }, list);
export const card = (title, ...children) => el("section", { cls: "card" }, title && el("h2", {}, title), children);
export const clip = (text) => el("span", { cls: "clip", title: text.length > 120 ? text.slice(0, 2000) : null }, text);
