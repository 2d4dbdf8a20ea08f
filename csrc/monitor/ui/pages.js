// SPDX-License-Identifier: Apache-2.0
// The pages. Each is made for a route: { element, refresh(), done() → nothing will change any more }.

import { bytes, card, chip, clip, clock, el, fact, facts, link, meter, millis, number, share, short, span, to, when } from "/dom.js";
import { legend, timeline } from "/charts.js";
import { planView } from "/graph.js";
import { Table } from "/table.js";
import { words } from "/words.js";

export class NotFound extends Error {}

export async function get(path) {
  const answer = await fetch(`/api/v1/${path}`, { cache: "no-store" });
  if (answer.status === 404) throw new NotFound(path);
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  return answer.json();
}

const of = (id, path) => get(`applications/${encodeURIComponent(id)}${path ? "/" + path : ""}`);
const lengthOf = (start, end) => (Number.isNaN(end) ? Date.now() - start : end - start);
const stateOf = (q) => (q.status === "FAILED" && q.errorMessage === "cancelled" ? "KILLED" : q.status);
const some = (n) => (n > 0 ? bytes(n) : null);
const queryTime = (q) => (q.status === "RUNNING" ? Date.now() - millis(q.submissionTime) : q.duration);
const textOf = (job) => job.description || job.name || "";

/* ---- lists of applications and workers ---- */

/* What it uses now, else what one of its executors may. */
const memoryOf = (a) => a.memoryUsed ?? (a.memoryPerExecutorMB === undefined ? undefined : a.memoryPerExecutorMB * 1048576);

function appsTable(name, title, site) {
  const w = words();
  return new Table([
    { key: "name", title: w.title, cls: "wide", value: (a) => a.name, cell: (a) => el("div", {}, a.url ? el("a", { href: a.url, rel: "noreferrer" }, a.name || a.id) : link(a.name || a.id, "app", a.id), el("div", { cls: "dim mono" }, a.id)) },
    { key: "state", title: w.state, value: (a) => String(a.last.completed), cell: (a) => (a.last.problem ? el("span", { cls: "chip warn", title: a.last.problem }, w.problem) : chip(a.last.completed ? "COMPLETED" : "RUNNING")) },
    { key: "started", title: w.started, cls: "when", value: (a) => a.last.startTimeEpoch, cell: (a) => when(a.last.startTimeEpoch) },
    { key: "duration", title: w.duration, num: true, value: (a) => a.last.duration, cell: (a) => span(a.last.completed ? a.last.duration : Date.now() - a.last.startTimeEpoch) },
    { key: "user", title: w.user, value: (a) => a.last.sparkUser, cell: (a) => a.last.sparkUser },
    ...(site.kind === "master" ? [
      { key: "cores", title: w.cores, num: true, value: (a) => a.coresGranted, cell: (a) => number(a.coresGranted) },
      { key: "memory", title: w.memory, num: true, value: (a) => memoryOf(a), cell: (a) => (memoryOf(a) === undefined ? "–" : bytes(memoryOf(a))) }] : [
      { key: "size", title: w.log, num: true, value: (a) => a.last.logBytes, cell: (a) => bytes(a.last.logBytes) }]),
  ], { name, title, search: (a) => `${a.name} ${a.id} ${a.last.sparkUser}`, start: ["started", true], empty: w.empty });
}

export function home(site) {
  const w = words(), cards = el("div");
  const running = appsTable("running", w.running, site), finished = appsTable("finished", w.finished, site);
  const workers = !site.workers ? null : new Table([
    { key: "id", title: w.id, cls: "wide", value: (x) => x.id, cell: (x) => (x.webuiaddress ? el("a", { href: x.webuiaddress, rel: "noreferrer" }, x.id) : x.id) },
    { key: "address", title: w.address, cls: "keep", value: (x) => x.host, cell: (x) => `${x.host}:${x.port}` },
    { key: "state", title: w.state, value: (x) => x.state, cell: (x) => chip(x.state) },
    { key: "cores", title: w.cores, value: (x) => x.coresused, cell: (x) => share(x.coresused, x.cores, `${x.coresused}/${x.cores}`) },
    { key: "memory", title: w.memory, value: (x) => x.memoryused, cell: (x) => (x.memoryused > 0 ? share(x.memoryused, x.memory, `${bytes(x.memoryused)} / ${bytes(x.memory)}`) : bytes(x.memory)) },
    { key: "tasks", title: w.tasks, num: true, value: (x) => x.tasks, cell: (x) => number(x.tasks) },
    { key: "beat", title: w.heartbeat, cls: "when", value: (x) => x.lastheartbeat, cell: (x) => (x.lastheartbeat ? w.ago(span(Math.max(0, Date.now() - x.lastheartbeat))) : "–") },
  ], { name: "workers", title: w.workers, search: (x) => `${x.id} ${x.host} ${x.state}`, start: ["id", false] });
  const element = el("div", {}, el("div", { cls: "head" }, el("h1", {}, w.kinds[site.kind] ?? site.kind)), el("div", { cls: "sub" }, el("span", { cls: "mono" }, site.title), el("span", {}, `nbaspark ${site.version}`)), cards, workers?.element, site.kind !== "worker" && [running.element, finished.element]);
  return {
    element,
    async refresh() {
      const [apps, list] = await Promise.all([site.kind === "worker" ? [] : get("applications"), workers ? get("workers") : []]);
      for (const a of apps) a.last = a.attempts[a.attempts.length - 1];
      const open = apps.filter((a) => !a.last.completed), closed = apps.filter((a) => a.last.completed);
      running.element.hidden = open.length === 0 && site.kind === "history";
      running.element.style.display = running.element.hidden ? "none" : "";
      running.update(open);
      finished.update(closed);
      workers?.update(list);
      const alive = list.filter((x) => x.state === "ALIVE"), sum = (key) => alive.reduce((n, x) => n + x[key], 0);
      cards.replaceChildren(facts(
        workers && site.kind !== "worker" && fact(w.workers, `${alive.length}/${list.length}`), workers && fact(w.cores, `${sum("coresused")}/${sum("cores")}`),
        workers && fact(w.memory, bytes(sum("memory")), sum("memoryused") > 0 ? w.used(bytes(sum("memoryused"))) : null),
        site.kind === "worker" ? fact(w.tasks, number(sum("tasks"))) : [fact(w.running, number(open.length)), fact(w.finished, number(closed.length))]));
    },
    done: () => false,
  };
}

/* ---- the frame around the pages of one application ---- */

const TABS = ["overview", "jobs", "stages", "sql", "executors", "environment"];

async function frame(id, tab) {
  const w = words(), app = await of(id), last = app.attempts[app.attempts.length - 1];
  const content = el("div");
  const element = el("div", {},
    el("nav", { cls: "crumbs" }, el("a", { href: "#/" }, w.applications), "›", el("span", { cls: "mono" }, app.id)),
    el("div", { cls: "head" }, el("h1", {}, app.name || app.id), chip(last.completed ? "COMPLETED" : "RUNNING")),
    el("div", { cls: "sub" }, el("span", {}, `${w.started}: ${when(last.startTimeEpoch)}`), el("span", {}, `${w.duration}: ${span(last.completed ? last.duration : Date.now() - last.startTimeEpoch)}`), el("span", {}, `${w.user}: ${last.sparkUser}`), el("span", {}, `Spark ${last.appSparkVersion}`),
      last.logBytes !== undefined && el("a", { href: `/api/v1/applications/${encodeURIComponent(id)}/logs`, download: true }, w.download)),
    last.problem && el("div", { cls: "note warn" }, `${w.problem}: ${last.problem}`),
    el("nav", { cls: "tabs" }, TABS.map((t) => el("a", { href: t === "overview" ? to("app", id) : to("app", id, t), "aria-current": t === tab ? "page" : null }, w[t]))), content);
  return { element, content, app, last, done: () => last.completed };
}

const jobBars = (id, jobs) => jobs.slice(0, 400).map((j) => ({
  start: millis(j.submissionTime), end: j.completionTime ? millis(j.completionTime) : Date.now(), label: textOf(j), status: j.status, href: to("app", id, "jobs", j.jobId),
  title: `${words().job} ${j.jobId}: ${textOf(j).slice(0, 200)} (${span(lengthOf(millis(j.submissionTime), millis(j.completionTime)))})` }));

function jobsTable(id) {
  const w = words();
  return new Table([
    { key: "id", title: w.id, num: true, value: (j) => j.jobId, cell: (j) => link(j.jobId, "app", id, "jobs", j.jobId) },
    { key: "text", title: w.description, cls: "wide", value: textOf, cell: (j) => el("a", { href: to("app", id, "jobs", j.jobId) }, clip(textOf(j))) },
    { key: "state", title: w.state, value: (j) => j.status, cell: (j) => chip(j.status) },
    { key: "started", title: w.started, cls: "when", value: (j) => millis(j.submissionTime), cell: (j) => when(millis(j.submissionTime)) },
    { key: "duration", title: w.duration, num: true, value: (j) => lengthOf(millis(j.submissionTime), millis(j.completionTime)), cell: (j) => span(lengthOf(millis(j.submissionTime), millis(j.completionTime))) },
    { key: "stages", title: w.stages, value: (j) => j.stageIds.length, cell: (j) => meter(j.numCompletedStages, j.numFailedStages, j.numActiveStages, j.stageIds.length - j.numSkippedStages) },
    { key: "tasks", title: w.tasks, value: (j) => j.numTasks, cell: (j) => meter(j.numCompletedTasks, j.numFailedTasks + j.numKilledTasks, j.numActiveTasks, j.numTasks - j.numSkippedTasks) },
  ], { name: `jobs ${id}`, title: w.jobs, search: (j) => `${j.jobId} ${textOf(j)} ${j.status}`, start: ["id", true] });
}

function stagesTable(id, name) {
  const w = words();
  return new Table([
    { key: "id", title: w.id, num: true, value: (s) => s.stageId, cell: (s) => link(s.attemptId ? `${s.stageId}.${s.attemptId}` : s.stageId, "app", id, "stages", s.stageId, s.attemptId) },
    { key: "name", title: w.title, cls: "wide", value: (s) => s.name, cell: (s) => el("a", { href: to("app", id, "stages", s.stageId, s.attemptId) }, clip(s.name)) },
    { key: "state", title: w.state, value: (s) => s.status, cell: (s) => chip(s.status) },
    { key: "duration", title: w.duration, num: true, value: (s) => (s.submissionTime ? lengthOf(millis(s.submissionTime), millis(s.completionTime)) : -1), cell: (s) => (s.submissionTime ? span(lengthOf(millis(s.submissionTime), millis(s.completionTime))) : "–") },
    { key: "tasks", title: w.tasks, value: (s) => s.numTasks, cell: (s) => meter(s.numCompleteTasks, s.numFailedTasks + s.numKilledTasks, s.numActiveTasks, s.numTasks) },
    { key: "in", title: w.inputRows, num: true, value: (s) => s.inputRecords + s.shuffleReadRecords, cell: (s) => short(s.inputRecords + s.shuffleReadRecords) },
    { key: "bytes", title: w.bytesRead, num: true, value: (s) => s.inputBytes + s.shuffleReadBytes, cell: (s) => bytes(s.inputBytes + s.shuffleReadBytes) },
    { key: "out", title: w.outputRows, num: true, value: (s) => s.outputRecords + s.shuffleWriteRecords, cell: (s) => short(s.outputRecords + s.shuffleWriteRecords) },
    { key: "spill", title: w.spill, num: true, value: (s) => s.diskBytesSpilled, cell: (s) => (s.diskBytesSpilled ? bytes(s.diskBytesSpilled) : "–") },
  ], { name: `${name} ${id}`, title: w.stages, search: (s) => `${s.stageId} ${s.name} ${s.status}`, start: ["id", true] });
}

function sqlTable(id, options) {
  const w = words();
  return new Table([
    { key: "id", title: w.id, num: true, value: (q) => q.id, cell: (q) => link(q.id, "app", id, "sql", q.id) },
    { key: "text", title: w.description, cls: "wide", value: (q) => q.description, cell: (q) => el("a", { href: to("app", id, "sql", q.id) }, clip(q.description || `${w.query} ${q.id}`)) },
    { key: "state", title: w.state, value: stateOf, cell: (q) => chip(stateOf(q)) },
    { key: "started", title: w.started, cls: "when", value: (q) => millis(q.submissionTime), cell: (q) => when(millis(q.submissionTime)) },
    { key: "duration", title: w.duration, num: true, value: queryTime, cell: (q) => span(queryTime(q)) },
    { key: "jobs", title: w.jobs, cell: (q) => [...q.runningJobIds, ...q.successJobIds, ...q.failedJobIds].slice(0, 12).flatMap((j, i) => [i ? ", " : "", link(j, "app", id, "jobs", j)]) },
  ], { name: `sql ${id}`, title: w.sql, search: (q) => `${q.id} ${q.description} ${q.status}`, start: ["id", true], ...options });
}

const queries = (id) => of(id, "sql?details=false&planDescription=false&length=5000");

export async function overview(id) {
  const f = await frame(id, "overview"), w = words(), numbers = el("div"), chart = el("div"), slow = sqlTable(id, { name: `slow ${id}`, title: w.slowest, size: 6, start: ["duration", true], search: null });
  f.content.append(numbers, card(w.timeline, chart, legend()), slow.element);
  return {
    ...f,
    async refresh() {
      const [jobs, stages, sql, executors] = await Promise.all([of(id, "jobs"), of(id, "stages"), queries(id), of(id, "allexecutors")]);
      const sum = (list, key) => list.reduce((n, x) => n + x[key], 0), failed = jobs.filter((j) => j.status === "FAILED").length;
      numbers.replaceChildren(facts(
        fact(w.jobs, number(jobs.length), failed ? `${failed} ${w.failedTasks}` : null), fact(w.sql, number(sql.length)), fact(w.tasks, number(sum(stages, "numCompleteTasks")), sum(stages, "numFailedTasks") ? `${number(sum(stages, "numFailedTasks"))} ${w.failedTasks}` : null),
        fact(w.inputRows, short(sum(stages, "inputRecords")), some(sum(stages, "inputBytes"))), fact(w.outputRows, short(sum(stages, "outputRecords")), some(sum(stages, "outputBytes"))), fact(w.spill, bytes(sum(stages, "diskBytesSpilled"))), fact(w.executors, number(executors.length), `${number(sum(executors, "totalCores"))} ${w.cores.toLowerCase()}`)));
      chart.replaceChildren(timeline(jobBars(id, jobs)));
      slow.update(sql);
    },
  };
}

export async function jobs(id) {
  const f = await frame(id, "jobs"), chart = el("div"), table = jobsTable(id);
  f.content.append(card(words().timeline, chart, legend()), table.element);
  return { ...f, async refresh() { const list = await of(id, "jobs"); chart.replaceChildren(timeline(jobBars(id, list))); table.update(list); } };
}

export async function job(id, number_) {
  const f = await frame(id, "jobs"), w = words(), head = el("div"), chart = el("div"), table = stagesTable(id, `job ${number_} stages`);
  f.content.append(head, card(w.timeline, chart, legend()), table.element);
  return {
    ...f,
    async refresh() {
      const [j, all] = await Promise.all([of(id, `jobs/${number_}`), of(id, "stages")]);
      const stages = all.filter((s) => j.stageIds.includes(s.stageId)), start = millis(j.submissionTime);
      const broken = stages.find((s) => s.failureReason);
      head.replaceChildren(el("div", { cls: "head" }, el("h1", {}, `${w.job} ${j.jobId}`), chip(j.status)), el("p", {}, textOf(j)),
        broken ? el("div", { cls: "note bad" }, el("pre", { cls: "mono" }, broken.failureReason)) : "",
        facts(fact(w.duration, span(lengthOf(start, millis(j.completionTime))), when(start)), fact(w.stages, `${j.numCompletedStages}/${j.stageIds.length}`, j.numSkippedStages ? `${j.numSkippedStages} ${w.skipped}` : null), fact(w.tasks, number(j.numCompletedTasks), j.numFailedTasks ? `${j.numFailedTasks} ${w.failedTasks}` : null)));
      chart.replaceChildren(timeline(stages.filter((s) => s.submissionTime).map((s) => ({ start: millis(s.submissionTime), end: s.completionTime ? millis(s.completionTime) : Date.now(), label: `${s.stageId}: ${s.name}`, status: s.status, href: to("app", id, "stages", s.stageId, s.attemptId), title: `${w.stage} ${s.stageId}: ${s.name}` }))));
      table.update(stages);
    },
  };
}

export async function stages(id) {
  const f = await frame(id, "stages"), table = stagesTable(id, "stages");
  f.content.append(table.element);
  return { ...f, refresh: async () => table.update(await of(id, "stages")) };
}

/* ---- one stage ---- */

const SUMMARY = [
  ["duration", (q) => q.duration, span], ["cpu", (q) => q.executorCpuTime.map((v) => v / 1e6), span], ["inputRows", (q) => q.inputMetrics.recordsRead, number], ["bytesRead", (q) => q.inputMetrics.bytesRead, bytes],
  ["shuffleRead", (q) => q.shuffleReadMetrics.readRecords, number], ["shuffleWrite", (q) => q.shuffleWriteMetrics.writeRecords, number], ["outputRows", (q) => q.outputMetrics.recordsWritten, number], ["spill", (q) => q.diskBytesSpilled, bytes], ["peak", (q) => q.peakExecutionMemory, bytes], ["gc", (q) => q.jvmGcTime, span],
];

function tasksTable(id, base, key) {
  const w = words(), m = (t) => t.taskMetrics;
  let status = "", total = 0;
  const table = new Table([
    { key: "index", title: w.index, num: true, sort: "index", cell: (t) => (t.attempt ? `${t.index}.${t.attempt}` : t.index) },
    { key: "id", title: w.id, num: true, sort: "ID", cell: (t) => t.taskId },
    { key: "status", title: w.status_, sort: "status", cell: (t) => el("div", {}, chip(t.status), t.errorMessage && el("details", {}, el("summary", {}, w.error), el("pre", {}, t.errorMessage))) },
    { key: "executor", title: w.executor, sort: "executor", cell: (t) => `${t.executorId} · ${t.host}` },
    { key: "launch", title: w.launch, cls: "when", sort: "launch", cell: (t) => clock(millis(t.launchTime)) },
    { key: "duration", title: w.duration, num: true, sort: "duration", cell: (t) => span(t.duration ?? 0) },
    { key: "cpu", title: w.cpu, num: true, sort: "cpu", cell: (t) => (m(t) ? span(m(t).executorCpuTime / 1e6) : "–") },
    { key: "in", title: w.inputRows, num: true, sort: "inputRows", cell: (t) => (m(t) ? number(m(t).inputMetrics.recordsRead) : "–") },
    { key: "bytes", title: w.bytesRead, num: true, sort: "inputBytes", cell: (t) => (m(t) ? bytes(m(t).inputMetrics.bytesRead) : "–") },
    { key: "from", title: w.shuffleRead, num: true, sort: "shuffleReadRows", cell: (t) => (m(t) ? number(m(t).shuffleReadMetrics.recordsRead) : "–") },
    { key: "to", title: w.shuffleWrite, num: true, sort: "shuffleWriteRows", cell: (t) => (m(t) ? number(m(t).shuffleWriteMetrics.recordsWritten) : "–") },
    { key: "out", title: w.outputRows, num: true, sort: "outputRows", cell: (t) => (m(t) ? number(m(t).outputMetrics.recordsWritten) : "–") },
    { key: "spill", title: w.spill, num: true, sort: "spill", cell: (t) => (m(t)?.diskBytesSpilled ? bytes(m(t).diskBytesSpilled) : "–") },
  ], {
    name: `tasks ${key}`, title: w.tasks, size: 50, start: ["index", false],
    tools: el("select", { "aria-label": w.state, onchange: (e) => { status = e.target.value; table.state.page = 0; table.draw(); } }, ["", "RUNNING", "SUCCESS", "FAILED", "KILLED"].map((s) => el("option", { value: s }, s ? w.status[s] : w.all))),
    async fetch({ offset, length, sort, down }) {
      const rows = await of(id, `${base}/taskList?offset=${offset}&length=${length}&sortBy=${down ? "-" : ""}${sort ?? "ID"}${status ? "&status=" + status : ""}`);
      return { rows, total: status ? offset + rows.length + (rows.length === length ? 1 : 0) : total };
    },
  });
  return { element: table.element, update(n) { total = n; return table.draw(); } };
}

export async function stage(id, number_, attempt) {
  const f = await frame(id, "stages"), w = words(), base = `stages/${number_}/${attempt}`, head = el("div"), chart = el("div"), summary = el("div"), tasks = tasksTable(id, base, `${id} ${base}`), title = el("h2");
  f.content.append(head, el("section", { cls: "card" }, title, chart, legend()), summary, tasks.element);
  return {
    ...f,
    async refresh() {
      const s = await of(id, `${base}?details=false`), start = millis(s.submissionTime), n = s.numCompleteTasks + s.numFailedTasks + s.numKilledTasks + s.numActiveTasks;
      const [quantiles, longest] = await Promise.all([of(id, `${base}/taskSummary?quantiles=0,0.25,0.5,0.75,1`).catch(() => null), of(id, `${base}/taskList?sortBy=-duration&length=400`)]);
      head.replaceChildren(el("div", { cls: "head" }, el("h1", {}, `${w.stage} ${s.stageId}${s.attemptId ? "." + s.attemptId : ""}`), chip(s.status)), el("p", {}, s.name),
        s.failureReason ? el("div", { cls: "note bad" }, el("pre", { cls: "mono" }, s.failureReason)) : "",
        facts(fact(w.duration, start ? span(lengthOf(start, millis(s.completionTime))) : "–", start ? clock(start) : null), fact(w.tasks, `${number(s.numCompleteTasks)}/${number(s.numTasks)}`, s.numFailedTasks ? `${number(s.numFailedTasks)} ${w.failedTasks}` : null), fact(w.taskTime, span(s.executorRunTime), `${w.cpu}: ${span(s.executorCpuTime / 1e6)}`),
          fact(w.inputRows, short(s.inputRecords + s.shuffleReadRecords), bytes(s.inputBytes + s.shuffleReadBytes)), fact(w.outputRows, short(s.outputRecords + s.shuffleWriteRecords), bytes(s.outputBytes + s.shuffleWriteBytes)), fact(w.spill, bytes(s.diskBytesSpilled))));
      title.textContent = `${w.timeline}: ${n > longest.length ? w.tooMany(longest.length) : w.timelineOf(number(n))}`;
      chart.replaceChildren(timeline(longest.map((t) => ({ start: millis(t.launchTime), end: millis(t.launchTime) + (t.duration ?? 0), label: String(t.index), status: t.status, group: `${w.executor} ${t.executorId}`, title: `${w.index} ${t.index}: ${span(t.duration ?? 0)}, ${words().status[t.status] ?? t.status}` })), { line: longest.length > 60 ? 9 : 18 }));
      const rows = quantiles ? SUMMARY.map(([key, of_, text]) => [w[key], of_(quantiles), text]).filter(([, v]) => v.some((x) => x > 0)) : [];
      summary.replaceChildren(rows.length ? card(w.summary, el("div", { cls: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, [w.quantile, w.minimum, w.quarter, w.median, w.threeQuarters, w.maximum].map((t, i) => el("th", { cls: i ? "num" : null, scope: "col" }, el("span", {}, t))))), el("tbody", {}, rows.map(([name, values, text]) => el("tr", {}, el("th", { scope: "row" }, el("span", {}, name)), values.map((v) => el("td", { cls: "num" }, text(v))))))))) : "");
      await tasks.update(n);
    },
  };
}

/* ---- SQL ---- */

export async function sql(id) {
  const f = await frame(id, "sql"), table = sqlTable(id);
  f.content.append(table.element);
  return { ...f, refresh: async () => table.update(await queries(id)) };
}

// Asks once more before it stops a query; there only for those who have shown the token.
function stopButton(id, number_) {
  const w = words();
  let asked = false;
  const button = el("button", { type: "button", cls: "quiet stop", onclick: async () => {
    if (!asked) { asked = true; button.textContent = w.stopReally; return; }
    button.disabled = true;
    button.textContent = w.stopping;
    await fetch(`/api/v1/kill?app=${encodeURIComponent(id)}&execution=${encodeURIComponent(number_)}`, { method: "POST" }).catch(() => null);
  } }, w.stop);
  return button;
}

export async function query(id, number_, site) {
  const f = await frame(id, "sql"), w = words(), head = el("div"), plan = el("div"), text = el("pre"), stop = site.kill ? stopButton(id, number_) : null;
  let shown = "";
  f.content.append(head, plan, el("details", { cls: "card" }, el("summary", {}, w.planText), text));
  return {
    ...f,
    async refresh() {
      const [q, graph] = await Promise.all([of(id, `sql/${number_}?details=false`), of(id, `graph/${number_}`)]);
      const jobs_ = [...q.runningJobIds, ...q.successJobIds, ...q.failedJobIds], statement = graph.details && graph.details.length < 20000 && !graph.details.startsWith("org.apache.") ? graph.details : "";
      head.replaceChildren(el("div", { cls: "head" }, el("h1", {}, `${w.query} ${q.id}`), chip(stateOf(q)), q.status === "RUNNING" && stop), el("div", { cls: "sub" }, el("span", {}, when(millis(q.submissionTime))), el("span", {}, `${w.duration}: ${span(queryTime(q))}`), jobs_.length > 0 && el("span", {}, `${w.jobs}: `, jobs_.slice(0, 30).flatMap((j, i) => [i ? ", " : "", link(j, "app", id, "jobs", j)]))),
        statement.length > 60 ? el("section", { cls: "card" }, el("h2", {}, w.sqlText), el("pre", { cls: "sql" }, statement)) : el("p", { cls: "mono" }, statement || q.description), q.errorMessage && stateOf(q) !== "KILLED" ? el("div", { cls: "note bad" }, el("pre", { cls: "mono" }, q.errorMessage)) : "");
      text.textContent = q.planDescription;
      const now = JSON.stringify(graph); // drawn anew only when it has changed, so that a chosen operator stays chosen
      if (now !== shown) { shown = now; plan.replaceChildren(planView(graph)); }
    },
  };
}

/* ---- executors, environment ---- */

export async function executors(id) {
  const f = await frame(id, "executors"), w = words();
  const table = new Table([
    { key: "id", title: w.id, cls: "keep", value: (x) => x.id, cell: (x) => x.id }, { key: "address", title: w.address, cls: "keep", value: (x) => x.hostPort, cell: (x) => x.hostPort },
    { key: "state", title: w.state, value: (x) => String(x.isActive), cell: (x) => (x.isActive ? chip("ALIVE") : el("div", {}, chip("DEAD"), x.removeReason && el("div", { cls: "dim" }, x.removeReason))) },
    { key: "cores", title: w.cores, num: true, value: (x) => x.totalCores, cell: (x) => number(x.totalCores) }, { key: "memory", title: w.memory, num: true, value: (x) => x.maxMemory, cell: (x) => bytes(x.maxMemory) },
    { key: "tasks", title: w.tasks, value: (x) => x.totalTasks, cell: (x) => meter(x.completedTasks, x.failedTasks, x.activeTasks, x.totalTasks) },
    { key: "time", title: w.taskTime, num: true, value: (x) => x.totalDuration, cell: (x) => span(x.totalDuration) }, { key: "input", title: w.bytesRead, num: true, value: (x) => x.totalInputBytes, cell: (x) => bytes(x.totalInputBytes) },
    { key: "shuffle", title: w.shuffleBytes, num: true, value: (x) => x.totalShuffleWrite, cell: (x) => bytes(x.totalShuffleWrite) }, { key: "added", title: w.started, cls: "when", value: (x) => millis(x.addTime), cell: (x) => when(millis(x.addTime)) },
  ], { name: `executors ${id}`, title: w.executors, search: (x) => `${x.id} ${x.hostPort}`, start: ["id", false] });
  f.content.append(table.element);
  return { ...f, refresh: async () => table.update(await of(id, "allexecutors")) };
}

export async function environment(id) {
  const f = await frame(id, "environment"), w = words();
  const table = new Table([
    { key: "section", title: w.section, value: (r) => r.section, cell: (r) => el("span", { cls: "dim" }, r.section) },
    { key: "key", title: w.key, cls: "mono wide", value: (r) => r.key, cell: (r) => r.key }, { key: "value", title: w.value, cls: "mono", value: (r) => r.value, cell: (r) => r.value },
  ], { name: `environment ${id}`, title: w.settings, size: 100, search: (r) => `${r.key} ${r.value} ${r.section}`, start: ["section", false] });
  f.content.append(table.element);
  return {
    ...f,
    async refresh() {
      const env = await of(id, "environment");
      const rows = Object.entries(env.runtime).map(([key, value]) => ({ section: w.sections.runtime, key, value }));
      for (const section of Object.keys(w.sections).slice(1)) for (const [key, value] of env[section] ?? []) rows.push({ section: w.sections[section], key, value });
      table.update(rows);
    },
    done: () => true,
  };
}
