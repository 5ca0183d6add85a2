// Scenarios by models: every attempt as a button, or one figure per scenario and model where they are too many.
const cells = []; // every attempt: {button, attempt, result, words}
let order = []; // places in `cells` as the page shows them
const MOST_ROWS = 2000; // of a page without single attempts

function attemptCell(result, attempt) {
  const told = "attempt " + (attempt.index + 1) + ": " + attempt.verdict + (attempt.kind ? ", " + attempt.kind : "");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "cell " + attempt.verdict;
  button.tabIndex = -1;
  button.title = told;
  button.setAttribute("aria-label", result.scenario + ", " + result.model + ", " + told);
  button.textContent = SYMBOLS[attempt.verdict];
  button.dataset.place = cells.length;
  cells.push({ button, attempt, result, words: [attempt.kind, attempt.message, attempt.stage].join("\n").toLowerCase() });
  return button;
}

function tallyFigure({ tally }) {
  const scored = tally.solved + tally.missed;
  const note = tally.solved + "/" + scored;
  const told = note + " scored attempts solved" + (tally.invalid ? ", " + tally.invalid + " invalid" : "");
  return make("div", { class: "figure", title: told }, make("span", {}, scored ? percent(tally.solved / scored) : "n/a"), bar(scored ? tally.solved / scored : 0), make("small", {}, note));
}

function scenarioRow(results) {
  const first = results.find((result) => result);
  const row = make("tr", {}, make("th", { scope: "row" }, first.scenario,
    make("small", {}, [first.domain, first.difficulty, ...first.tags].join(" · "))));
  for (const [place, result] of results.entries()) {
    const cell = make("td", { "data-model": models[place] });
    if (result && content.reduced) cell.append(tallyFigure(result));
    else cell.append(make("div", { class: "cells" }, ...(result ? result.attempts.map((attempt) => attemptCell(result, attempt)) : [])));
    row.append(cell);
  }
  row.dataset.domain = first.domain;
  row.results = results;
  row.words = [first.scenario, first.domain, first.difficulty, ...first.tags].join("\n").toLowerCase();
  return row;
}

function showMatrix() {
  const rows = new Map();
  for (const result of content.scenarios) {
    const key = JSON.stringify([result.domain, result.scenario]);
    if (!rows.has(key)) rows.set(key, models.map(() => null));
    rows.get(key)[models.indexOf(result.model)] = result;
  }
  const keys = [...rows.keys()].sort();
  const shown = content.reduced ? keys.slice(0, MOST_ROWS) : keys;
  const body = make("tbody", {}, ...shown.map((key) => scenarioRow(rows.get(key))));
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Scenario"),
    ...models.map((model) => make("th", { scope: "col", "data-model": model }, model))));
  byId("matrix").append(head, body);
  if (shown.length < keys.length) {
    byId("notices").append(make("p", { class: "notice" }, "Of " + count(keys.length, "scenario") + " the first " + shown.length.toLocaleString("en") + " are listed."));
  }
}

const matrixRows = () => [...byId("matrix").tBodies[0].rows];
const rowCells = (row) => [...row.querySelectorAll("button.cell")].map((button) => cells[button.dataset.place]);
const visible = (button) => button.offsetParent !== null;

function fillSelect(id, values) {
  byId(id).append(make("option", { value: "" }, "all"), ...values.map((value) => make("option", { value }, value)));
}

function matches(cell, wanted, rowSpeaks) {
  return (!wanted.model || cell.result.model === wanted.model) && (!wanted.verdict || cell.attempt.verdict === wanted.verdict)
    && (!wanted.text || rowSpeaks || cell.words.includes(wanted.text));
}

function markRow(row, wanted) {
  const rowSpeaks = row.words.includes(wanted.text);
  if (content.reduced) return rowSpeaks ? 1 : 0;
  return rowCells(row).filter((cell) => {
    const hit = matches(cell, wanted, rowSpeaks);
    cell.button.classList.toggle("faded", !hit);
    return hit;
  }).length;
}

function filterAttempts() {
  const wanted = { text: byId("filter-text").value.trim().toLowerCase(), model: byId("filter-model").value,
    domain: byId("filter-domain").value, verdict: byId("filter-verdict").value };
  let found = 0, rowsFound = 0;
  for (const row of matrixRows()) {
    const hits = markRow(row, wanted);
    row.hidden = !hits || Boolean(wanted.domain && row.dataset.domain !== wanted.domain);
    if (!row.hidden) { found += hits; rowsFound += 1; }
  }
  for (const element of byId("matrix").querySelectorAll("[data-model]")) {
    element.hidden = Boolean(wanted.model && element.dataset.model !== wanted.model);
  }
  const among = content.reduced ? "" : count(found, "attempt") + " of " + cells.length.toLocaleString("en") + " in ";
  byId("shown").textContent = found ? among + count(rowsFound, "scenario") : "No attempt matches the filter.";
  resetTabStop();
}

function solvedShare(row) {
  const model = byId("filter-model").value;
  const tallies = row.results.filter((result) => result && (!model || result.model === model)).map((result) => result.tally);
  const scored = sum(tallies.map((tally) => tally.solved + tally.missed));
  return scored ? sum(tallies.map((tally) => tally.solved)) / scored : null;
}

function sortScenarios() {
  const way = byId("sort").value;
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const scenario = (row) => row.results.find((result) => result).scenario;
  const byName = (a, b) => compare(scenario(a), scenario(b)) || compare(a.dataset.domain, b.dataset.domain);
  const byDomain = (a, b) => compare(a.dataset.domain, b.dataset.domain) || byName(a, b);
  const rows = matrixRows();
  if (way === "most" || way === "least") {
    // A scenario without a scored attempt has no share, and comes last either way.
    const share = new Map(rows.map((row) => [row, solvedShare(row) ?? (way === "most" ? -1 : 2)]));
    rows.sort((a, b) => (way === "most" ? share.get(b) - share.get(a) : share.get(a) - share.get(b)) || byName(a, b));
  } else rows.sort(way === "name" ? byName : byDomain);
  byId("matrix").tBodies[0].append(...rows);
  order = rows.flatMap((row) => [...row.querySelectorAll("button.cell")].map((button) => Number(button.dataset.place)));
}

function resetTabStop() {
  const current = byId("matrix").querySelector('button.cell[tabindex="0"]');
  if (current && visible(current)) return;
  const next = order.find((place) => visible(cells[place].button));
  if (next !== undefined) setTabStop(cells[next].button);
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
