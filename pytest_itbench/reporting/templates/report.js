"use strict";
// Every string of the run enters the page as text (textContent, attributes), never as markup.
const content = JSON.parse(document.getElementById("content").textContent);
const SYMBOLS = { solved: "✓", missed: "×", invalid: "!" };
const byId = (id) => document.getElementById(id);
const models = content.groups.filter((group) => group.by === "all").map((group) => group.model);
const cells = []; // every attempt in the page's order: {button, attempt, result, words}
let shownDetails = null;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function seconds(value) {
  if (value < 60) return value.toFixed(value < 10 ? 2 : 1) + " s";
  const whole = Math.round(value);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return (hours ? hours + " h " : "") + minutes + " min" + (hours ? "" : " " + rest + " s");
}

const moment = (text) => text.replace("T", " ").replace(/\.\d+/, "").replace("+00:00", " UTC");
const isPartial = (rate) => rate.value !== null && rate.covered < rate.of;
const rateText = (rate) => (rate.value === null ? "n/a" : rate.value.toFixed(2) + (isPartial(rate) ? "*" : ""));
const count = (number, noun) => number.toLocaleString("en") + " " + noun + (number === 1 ? "" : "s");
const fact = (name, value) => make("div", {}, make("dt", {}, name), make("dd", {}, value));

function bar(fraction, kind) {
  const fill = make("span", kind ? { class: "fill-" + kind } : {});
  fill.style.width = 100 * fraction + "%";
  return make("span", { class: "bar", "aria-hidden": "true" }, fill);
}

function usageText(usage) {
  const parts = [];
  if (usage.requests) parts.push(count(usage.requests, "request"));
  if (usage.input_tokens !== null) parts.push(usage.input_tokens.toLocaleString("en") + " tokens in");
  if (usage.output_tokens !== null) parts.push(usage.output_tokens.toLocaleString("en") + " out");
  if (usage.cost !== null) parts.push("$" + usage.cost.toFixed(usage.cost < 1 ? 4 : 2));
  return parts.join(" · ");
}

function showHeader() {
  const { run, totals } = content;
  byId("run-facts").append(
    fact("Started", moment(run.started)),
    fact("Duration", seconds(run.seconds)),
    fact("Attempts", count(totals.solved + totals.missed + totals.invalid, "attempt") + ", " + run.attempts + " per scenario and model"),
    fact("Environment", run.environment),
    fact("Versions", "pytest-itbench " + run.version + " · pytest " + run.pytest_version + " · Python " + run.python_version),
  );
  const problems = [];
  if (totals.lost) problems.push(count(totals.lost, "planned attempt") + " lost: no outcome arrived.");
  if (totals.invalid) problems.push(count(totals.invalid, "attempt") + " invalid, through no fault of a model: counted, but left out of every pass@k.");
  if (problems.length) byId("notices").append(make("p", { class: "notice" }, problems.join(" ")));
}

function rateBlock(rate, main) {
  const coverage = rate.covered + " of " + count(rate.of, "scenario") + " covered";
  return make("div", { class: main ? "rate rate-main" : "rate", title: coverage },
    make("div", { class: "rate-value" }, rateText(rate)), make("div", { class: "rate-label" }, "pass@" + rate.k));
}

function verdictStack(tally) {
  const stack = make("div", { class: "stack", "aria-hidden": "true" });
  const counts = make("ul", { class: "counts" });
  for (const verdict of Object.keys(SYMBOLS)) {
    const part = make("span", { class: "fill-" + verdict });
    part.style.flexGrow = tally[verdict];
    if (tally[verdict]) stack.append(part);
    counts.append(make("li", { class: verdict }, make("b", {}, String(tally[verdict])), " " + verdict));
  }
  return [stack, counts];
}

function showCards() {
  const totals = content.groups.filter((group) => group.by === "all");
  byId("partial-rates").hidden = !totals.some((group) => group.pass_at.some(isPartial));
  for (const group of totals) {
    const rates = group.pass_at.map((rate, place) => rateBlock(rate, place === 0));
    const usage = usageText(group.usage);
    byId("cards").append(make("article", { class: "panel card" }, make("h3", {}, group.model),
      make("div", { class: "rates" }, ...rates), ...verdictStack(group.tally),
      usage ? make("p", { class: "usage" }, usage) : null));
  }
}

function showKChoice() {
  content.run.ks.forEach((k, place) => {
    const button = make("button", { type: "button", "aria-pressed": String(place === 0) }, "pass@" + k);
    button.addEventListener("click", () => {
      for (const other of byId("k-choice").children) other.setAttribute("aria-pressed", String(other === button));
      showDomains(place);
    });
    byId("k-choice").append(button);
  });
}

function domainFigure(group, place) {
  if (!group) return make("td", {}, "n/a");
  const rate = group.pass_at[place];
  const scored = group.tally.solved + group.tally.missed;
  const note = group.tally.solved + "/" + scored;
  return make("td", { title: note + " scored attempts solved, " + rate.covered + " of " + count(rate.of, "scenario") + " covered" },
    make("div", { class: "figure" }, make("span", {}, rateText(rate)), bar(rate.value ?? 0), make("small", {}, note)));
}

function showDomains(place) {
  const byDomain = content.groups.filter((group) => group.by === "domain" || group.by === "all");
  const domainOf = (group) => (group.by === "all" ? null : group.value);
  const groups = new Map(byDomain.map((group) => [JSON.stringify([domainOf(group), group.model]), group]));
  const domains = [...new Set(byDomain.map(domainOf))].filter((domain) => domain !== null).sort();
  const rows = domains.length > 1 ? [...domains, null] : domains;
  const body = make("tbody", {}, ...rows.map((domain) => make("tr", { class: domain === null ? "all" : null },
    make("th", { scope: "row" }, domain ?? "all domains"),
    ...models.map((model) => domainFigure(groups.get(JSON.stringify([domain, model])), place)))));
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Domain"),
    ...models.map((model) => make("th", { scope: "col" }, model))));
  byId("domains").replaceChildren(head, body);
  const k = content.run.ks[place];
  byId("footnote").hidden = !content.groups.some((group) => isPartial(group.pass_at[place]));
  byId("footnote").textContent = "* leaves out scenarios that have fewer than " + k + " scored attempts.";
}

function kindRow(entry, most) {
  const name = make("span", {}, entry.kind);
  if (entry.verdict === "invalid") name.append(make("small", {}, "invalid"));
  return make("li", {}, name, bar(entry.count / most, entry.verdict), make("span", { class: "number" }, String(entry.count)));
}

function showKinds() {
  for (const model of models) {
    const entries = content.failure_kinds.filter((entry) => entry.model === model);
    const most = Math.max(1, ...entries.map((entry) => entry.count));
    const rows = entries.map((entry) => kindRow(entry, most));
    byId("kinds").append(make("article", { class: "panel card" }, make("h3", {}, model),
      rows.length ? make("ul", { class: "kind-list" }, ...rows) : make("p", { class: "none" }, "Every attempt was solved.")));
  }
}

function attemptCell(result, attempt) {
  const name = result.scenario + ", " + result.model + ", attempt " + (attempt.index + 1);
  const told = attempt.verdict + (attempt.kind ? ", " + attempt.kind : "");
  const button = make("button", { type: "button", class: "cell " + attempt.verdict, tabindex: "-1", "aria-label": name + ": " + told,
    title: "attempt " + (attempt.index + 1) + ": " + told }, SYMBOLS[attempt.verdict]);
  button.dataset.place = cells.length;
  cells.push({ button, attempt, result, words: [attempt.kind, attempt.message, attempt.stage].join("\n").toLowerCase() });
  return button;
}

function scenarioRow(results) {
  const first = results.find((result) => result);
  const row = make("tr", {}, make("th", { scope: "row" }, first.scenario,
    make("small", {}, [first.domain, first.difficulty, ...first.tags].join(" · "))));
  for (const [place, result] of results.entries()) {
    const buttons = result ? result.attempts.map((attempt) => attemptCell(result, attempt)) : [];
    row.append(make("td", { "data-model": models[place] }, make("div", { class: "cells" }, ...buttons)));
  }
  row.dataset.domain = first.domain;
  row.dataset.words = [first.scenario, first.domain, first.difficulty, ...first.tags].join("\n").toLowerCase();
  return row;
}

function showMatrix() {
  const rows = new Map();
  for (const result of content.scenarios) {
    const key = JSON.stringify([result.domain, result.scenario]);
    if (!rows.has(key)) rows.set(key, models.map(() => null));
    rows.get(key)[models.indexOf(result.model)] = result;
  }
  const body = make("tbody", {}, ...[...rows.keys()].sort().map((key) => scenarioRow(rows.get(key))));
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Scenario"),
    ...models.map((model) => make("th", { scope: "col", "data-model": model }, model))));
  byId("matrix").append(head, body);
}

function fillSelect(id, values) {
  byId(id).append(make("option", { value: "" }, "all"), ...values.map((value) => make("option", { value }, value)));
}

function matches(cell, wanted, rowSpeaks) {
  return (!wanted.model || cell.result.model === wanted.model) && (!wanted.verdict || cell.attempt.verdict === wanted.verdict)
    && (!wanted.text || rowSpeaks || cell.words.includes(wanted.text));
}

function filterAttempts() {
  const wanted = { text: byId("filter-text").value.trim().toLowerCase(), model: byId("filter-model").value,
    domain: byId("filter-domain").value, verdict: byId("filter-verdict").value };
  let shown = 0, rowsShown = 0;
  for (const row of byId("matrix").tBodies[0].rows) {
    const rowSpeaks = row.dataset.words.includes(wanted.text);
    const found = rowCells(row).filter((cell) => {
      const hit = matches(cell, wanted, rowSpeaks);
      cell.button.classList.toggle("faded", !hit);
      return hit;
    }).length;
    row.hidden = !found || Boolean(wanted.domain && row.dataset.domain !== wanted.domain);
    if (!row.hidden) { shown += found; rowsShown += 1; }
  }
  for (const element of byId("matrix").querySelectorAll("[data-model]")) {
    element.hidden = Boolean(wanted.model && element.dataset.model !== wanted.model);
  }
  byId("shown").textContent = shown ? count(shown, "attempt") + " of " + cells.length.toLocaleString("en") + " in " + count(rowsShown, "scenario")
    : "No attempt matches the filter.";
  resetTabStop();
}

const rowCells = (row) => [...row.querySelectorAll("button.cell")].map((button) => cells[button.dataset.place]);
const visible = (button) => button.offsetParent !== null;

function resetTabStop() {
  const current = byId("matrix").querySelector('button.cell[tabindex="0"]');
  if (current && visible(current)) return;
  const next = cells.find((cell) => visible(cell.button));
  if (next) setTabStop(next.button);
}

function setTabStop(button) {
  for (const other of byId("matrix").querySelectorAll('button.cell[tabindex="0"]')) other.tabIndex = -1;
  button.tabIndex = 0;
}

function neighbour(button, key) {
  const row = button.closest("tr");
  const inRow = [...row.querySelectorAll("button.cell")].filter(visible);
  const place = inRow.indexOf(button);
  if (key === "ArrowRight") return inRow[place + 1];
  if (key === "ArrowLeft") return inRow[place - 1];
  if (key === "Home") return inRow[0];
  if (key === "End") return inRow[inRow.length - 1];
  const step = key === "ArrowDown" ? "nextElementSibling" : "previousElementSibling";
  let other = row[step];
  while (other && other.hidden) other = other[step];
  const there = other ? [...other.querySelectorAll("button.cell")].filter(visible) : [];
  return there[Math.min(place, there.length - 1)];
}

function moveFocus(event) {
  const button = event.target.closest("button.cell");
  if (!button || !["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  const next = neighbour(button, event.key);
  if (!next) return;
  setTabStop(next);
  next.focus();
}

function part(title, ...children) {
  return [make("h4", {}, title), ...children];
}

function checkItem(check) {
  const state = check.passed ? "solved" : "missed";
  return make("li", {}, make("div", { class: "check-head" },
    make("span", { class: "cell " + state, role: "img", "aria-label": check.passed ? "passed" : "failed" }, SYMBOLS[state]),
    make("span", {}, check.name), make("small", {}, seconds(check.seconds))),
  check.message ? make("pre", {}, check.message) : null);
}

function timingRows(timings) {
  const total = Math.max(Object.values(timings).reduce((sum, value) => sum + value, 0), 1e-9);
  return Object.entries(timings).flatMap(([stage, value]) =>
    [make("span", {}, stage), bar(value / total), make("span", { class: "number" }, seconds(value))]);
}

function fileItem([name, target]) {
  return make("li", {}, make("a", { href: target, target: "_blank", rel: "noopener noreferrer" }, name), " ", make("small", {}, decodeSafely(target)));
}

function decodeSafely(target) {
  try { return decodeURIComponent(target); } catch { return target; }
}

function detailFacts(result, attempt) {
  const usage = usageText(attempt.usage);
  return make("dl", { class: "grid" }, fact("Model", result.model), fact("Domain", result.domain), fact("Difficulty", result.difficulty),
    fact("Tags", result.tags.join(", ") || "none"), fact("Prompt level", String(attempt.level)), fact("Worker", attempt.worker),
    fact("Started", moment(attempt.started)), fact("Checks passed", attempt.score === null ? "none was run" : Math.round(100 * attempt.score) + " %"),
    attempt.taken ? fact("Candidate", attempt.taken) : null, usage ? fact("Usage", usage) : null);
}

function detailParts({ result, attempt }) {
  const files = Object.entries(attempt.evidence);
  const ended = (attempt.kind ? attempt.kind + ", " : "") + "ended at stage " + attempt.stage;
  return [make("p", {}, make("span", { class: "badge " + attempt.verdict }, SYMBOLS[attempt.verdict] + " " + attempt.verdict), make("span", { class: "ended" }, ended)),
    ...(attempt.message ? [make("pre", {}, attempt.message)] : []), ...(attempt.hint ? [make("p", { class: "hint" }, "What to do: " + attempt.hint)] : []),
    detailFacts(result, attempt),
    ...(attempt.checks.length ? part("Checks", make("ul", { class: "checks" }, ...attempt.checks.map(checkItem))) : []),
    ...(Object.keys(attempt.timings).length ? part("Time by stage", make("div", { class: "timings" }, ...timingRows(attempt.timings))) : []),
    ...(files.length ? part("Evidence", make("ul", { class: "files" }, ...files.map(fileItem))) : [])];
}

function openDetails(place) {
  const cell = cells[place];
  shownDetails = place;
  byId("details-title").textContent = cell.result.scenario + ", attempt " + (cell.attempt.index + 1);
  byId("details-body").replaceChildren(...detailParts(cell));
  byId("details-previous").disabled = stepTo(-1) === null;
  byId("details-next").disabled = stepTo(1) === null;
  setTabStop(cell.button);
  history.replaceState(null, "", "#" + [cell.result.scenario, cell.result.model, cell.attempt.index].map(encodeURIComponent).join("/"));
  if (!byId("details").open) byId("details").showModal();
  byId("details").scrollTop = 0;
}

function stepTo(step) {
  for (let place = shownDetails + step; place >= 0 && place < cells.length; place += step) {
    const { button } = cells[place];
    if (visible(button) && !button.classList.contains("faded")) return place;
  }
  return null;
}

function openFromAddress() {
  const wanted = location.hash.slice(1).split("/").map(decodeSafely);
  const place = cells.findIndex(({ result, attempt }) => result.scenario === wanted[0] && result.model === wanted[1] && String(attempt.index) === wanted[2]);
  if (place >= 0) openDetails(place);
}

function listen() {
  byId("filters").addEventListener("input", filterAttempts);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", () => setTimeout(filterAttempts));
  byId("matrix").addEventListener("keydown", moveFocus);
  byId("matrix").addEventListener("click", (event) => {
    const button = event.target.closest("button.cell");
    if (button) openDetails(Number(button.dataset.place));
  });
  byId("details-previous").addEventListener("click", () => openDetails(stepTo(-1)));
  byId("details-next").addEventListener("click", () => openDetails(stepTo(1)));
  byId("details-close").addEventListener("click", () => byId("details").close());
  byId("details").addEventListener("click", (event) => { if (event.target === byId("details")) byId("details").close(); });
  byId("details").addEventListener("close", () => {
    history.replaceState(null, "", location.pathname + location.search);
    cells[shownDetails].button.focus();
  });
}

showHeader();
showCards();
showKChoice();
if (content.run.ks.length) showDomains(0);
showKinds();
showMatrix();
fillSelect("filter-model", models);
fillSelect("filter-domain", [...new Set(content.scenarios.map((result) => result.domain))].sort());
fillSelect("filter-verdict", Object.keys(SYMBOLS));
filterAttempts();
listen();
openFromAddress();
