// The run, a card per model, results by group, and why attempts were not solved.
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
  if (content.reduced) problems.push("There are too many attempts for one page: it shows figures per scenario, and no single attempts. They are in outcomes.jsonl and summary.json.");
  for (const problem of problems) byId("notices").append(make("p", { class: "notice" }, problem));
}

const TONES = { good: "solved", bad: "missed", open: "invalid" };

// What gates and a baseline say; a line that begins with blanks belongs to the one above it.
function showDecision() {
  if (!content.decision) return;
  byId("decision").hidden = false;
  byId("decision-lines").append(...content.decision.text.map(({ tone, text }) => {
    const verdict = TONES[tone];
    const said = text.trimStart();
    return make("li", { class: said.length < text.length ? "inner" : null },
      make("span", { class: "cell " + verdict, role: "img", "aria-label": tone }, SYMBOLS[verdict]), make("span", {}, said));
  }));
}

function rateBlock(rate, main) {
  const coverage = rate.covered + " of " + count(rate.of, "scenario") + " covered";
  const value = make("div", { class: "rate-value" }, rateText(rate));
  if (intervalText(rate)) value.append(" ", make("small", { class: "interval" }, intervalText(rate)));
  return make("div", { class: main ? "rate rate-main" : "rate", title: coverage }, value, make("div", { class: "rate-label" }, "pass@" + rate.k));
}

function verdictStack(tally) {
  const stack = make("div", { class: "stack", "aria-hidden": "true" });
  const counts = make("ul", { class: "counts" });
  for (const verdict of Object.keys(SYMBOLS)) {
    const part = make("span", { class: "fill-" + verdict });
    part.style.flexGrow = tally[verdict];
    if (tally[verdict]) stack.append(part);
    counts.append(make("li", { class: verdict }, make("b", {}, tally[verdict].toLocaleString("en")), " " + verdict));
  }
  return [stack, counts];
}

function modelFacts(group) {
  const stages = Object.values(group.seconds);
  const known = [
    ["Mean score", group.mean_score, percent], ["Checks passed", group.check_rate, percent], ["Idempotent", group.idempotent_rate, percent],
    ["Mean time", stages.length ? sum(stages) : null, seconds],
    ["Cost per solved scenario", group.cost_per_solved, money], ["Tokens per solved scenario", group.tokens_per_solved, whole],
  ].filter(([, value]) => value !== null);
  return known.length ? make("dl", { class: "model-facts" }, ...known.map(([name, value, tell]) => fact(name, tell(value)))) : null;
}

function showCards() {
  byId("partial-rates").hidden = ![...totalOf.values()].some((group) => group.pass_at.some(isPartial));
  for (const [model, group] of totalOf) {
    const rates = group.pass_at.map((rate, place) => rateBlock(rate, place === 0));
    const usage = usageText(group.usage);
    byId("cards").append(make("article", { class: "panel card" }, make("h3", {}, model),
      make("div", { class: "rates" }, ...rates), ...verdictStack(group.tally), modelFacts(group),
      usage ? make("p", { class: "usage" }, usage) : null));
  }
}

// Results by group; `place` is that of k.
const DIFFICULTIES = ["easy", "medium", "hard"];
const shownGroups = { by: "domain", rates: "pass_at", place: 0 };

function showGroupChoice() {
  const present = [["domain", "Domain"], ["difficulty", "Difficulty"], ["tag", "Tag"]].filter(([by]) => content.groups.some((group) => group.by === by));
  fillChoice(byId("by-choice"), present, (by) => { shownGroups.by = by; showGroups(); });
  content.run.ks.forEach((k, place) => byId("rate").append(make("option", { value: "pass_at " + place }, "pass@" + k)));
  content.run.ks.forEach((k, place) => { if (k > 1) byId("rate").append(make("option", { value: "pass_all " + place }, "pass^" + k)); });
  byId("rate").addEventListener("input", () => {
    const [rates, place] = byId("rate").value.split(" ");
    Object.assign(shownGroups, { rates, place: Number(place) });
    showGroups();
  });
}

function groupFigure(group) {
  if (!group) return make("td", {}, "n/a");
  const rate = group[shownGroups.rates][shownGroups.place];
  const scored = group.tally.solved + group.tally.missed;
  const note = group.tally.solved + "/" + scored;
  const interval = intervalText(rate) ? "95 % interval " + intervalText(rate) + ", " : "";
  return make("td", { title: interval + note + " scored attempts solved, " + rate.covered + " of " + count(rate.of, "scenario") + " covered" },
    make("div", { class: "figure" }, make("span", {}, rateText(rate)), bar(rate.value ?? 0), make("small", {}, note)));
}

function showGroups() {
  const { by, rates, place } = shownGroups;
  const shown = content.groups.filter((group) => group.by === by || group.by === "all");
  const valueOf = (group) => (group.by === "all" ? null : group.value);
  const groups = new Map(shown.map((group) => [JSON.stringify([valueOf(group), group.model]), group]));
  const values = [...new Set(shown.map(valueOf))].filter((value) => value !== null).sort();
  if (by === "difficulty") values.sort((a, b) => DIFFICULTIES.indexOf(a) - DIFFICULTIES.indexOf(b));
  const rows = values.length > 1 || by === "tag" ? [...values, null] : values;
  const body = make("tbody", {}, ...rows.map((value) => make("tr", { class: value === null ? "all" : null },
    make("th", { scope: "row" }, value ?? "all scenarios"),
    ...models.map((model) => groupFigure(groups.get(JSON.stringify([value, model])))))));
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, by[0].toUpperCase() + by.slice(1)),
    ...models.map((model) => make("th", { scope: "col" }, model))));
  byId("groups").replaceChildren(head, body);
  byId("group-name").textContent = by;
  byId("footnote").hidden = !shown.some((group) => isPartial(group[rates][place]));
  byId("footnote").textContent = "* leaves out scenarios that have fewer than " + content.run.ks[place] + " scored attempts.";
}

function kindRow(entry, most) {
  const name = make("span", {}, entry.kind);
  if (entry.verdict === "invalid") name.append(make("small", {}, "invalid"));
  return make("li", {}, name, bar(entry.count / most, entry.verdict), make("span", { class: "number" }, entry.count.toLocaleString("en")));
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
