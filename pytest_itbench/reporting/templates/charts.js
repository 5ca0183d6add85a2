// Plots. Each also stands as a table below it; a canvas says nothing to a screen reader.
const COLOURS = 8; // --model-0 to --model-7 in report.css; further models repeat them with dashes
const drawn = []; // {box, draw, plot}
let curveRates = "pass_at";

const themeColour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const modelColour = (place) => themeColour("model-" + (place % COLOURS));
const faint = (colour, share) => "color-mix(in srgb, " + colour + " " + share + "%, transparent)";

function axisLook() {
  const look = { stroke: themeColour("muted"), font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", labelSize: 18, labelGap: 0 };
  return { ...look, grid: { stroke: themeColour("line"), width: 1 }, ticks: { show: false } };
}

const QUIET = { cursor: { show: false }, legend: { show: false }, select: { show: false } };

// Rates per k, one line per model. Neighbours stand a little apart so that their intervals can be told from each other.
function curveData() {
  const { ks } = content.run;
  const spread = Math.max(...ks) > 16 ? Math.log2 : (k) => k;
  const places = ks.map(spread);
  const range = places[places.length - 1] - places[0] || 1;
  const step = Math.min(0.012, 0.08 / models.length) * range;
  const points = places.flatMap((x, k) => models.map((_, model) => ({ x: x + (model - (models.length - 1) / 2) * step, k, model })));
  points.sort((a, b) => a.x - b.x);
  // undefined, unlike null, does not break a line
  const column = (model, key) => points.map((point) => (point.model === model ? totalOf.get(models[model])[curveRates][point.k][key] : undefined));
  const columns = models.flatMap((_, model) => [column(model, "value"), column(model, "low"), column(model, "high")]);
  return { places, data: [points.map((point) => point.x), ...columns], margin: 0.06 * range };
}

function drawWhiskers(plot) {
  const { ctx, data } = plot;
  const unit = devicePixelRatio;
  ctx.save();
  ctx.lineWidth = 1.5 * unit;
  for (const model of models.keys()) {
    ctx.strokeStyle = modelColour(model);
    data[0].forEach((x, index) => {
      const [low, high] = [data[2 + 3 * model][index], data[3 + 3 * model][index]];
      if (low === undefined || low === null) return;
      const [left, top, bottom] = [plot.valToPos(x, "x", true), plot.valToPos(high, "y", true), plot.valToPos(low, "y", true)];
      ctx.beginPath();
      ctx.moveTo(left, top); ctx.lineTo(left, bottom);
      for (const end of [top, bottom]) { ctx.moveTo(left - 3 * unit, end); ctx.lineTo(left + 3 * unit, end); }
      ctx.stroke();
    });
  }
  ctx.restore();
}

function drawCurves(box, size) {
  const { places, data, margin } = curveData();
  const edge = { stroke: "transparent", width: 0, points: { show: false } };
  const series = models.flatMap((model, place) => [{
    label: model, stroke: modelColour(place), width: 2, dash: place < COLOURS ? undefined : [6, 4],
    points: { show: true, size: 7, fill: modelColour(place), stroke: modelColour(place) },
  }, edge, edge]);
  const bands = models.map((_, place) => ({ series: [3 + 3 * place, 2 + 3 * place], fill: faint(modelColour(place), 10) }));
  return new uPlot({
    ...QUIET, ...size, series: [{}, ...series], bands, hooks: { draw: [drawWhiskers] },
    scales: { x: { time: false, range: [places[0] - margin, places[places.length - 1] + margin] }, y: { range: [0, 1.02] } },
    axes: [{ ...axisLook(), label: "k", splits: () => places, values: () => content.run.ks.map(String), size: 24, grid: { show: false } },
      { ...axisLook(), splits: () => [0, 0.25, 0.5, 0.75, 1], size: 44, values: (_, values) => values.map((value) => value.toFixed(2)) }],
  }, data, box);
}

// Bars in groups: a slot per model and category, and an empty slot between categories.
function drawBars(box, size, { categories, values, tell }) {
  const slots = models.length + 1;
  const xs = categories.flatMap((_, category) => models.map((_, model) => category * slots + model));
  const columns = models.map((_, own) => categories.flatMap((_, category) => models.map((_, model) => (model === own ? values[own][category] : null))));
  const series = models.map((model, place) => ({
    label: model, stroke: modelColour(place), fill: faint(modelColour(place), place < COLOURS ? 75 : 35), width: 1,
    paths: uPlot.paths.bars({ size: [0.86, 44], radius: 0.1 }), points: { show: false },
  }));
  const middle = (models.length - 1) / 2;
  const narrow = size.width - 62 < 78 * categories.length; // names would run into each other
  return new uPlot({
    ...QUIET, ...size, series: [{}, ...series],
    scales: { x: { time: false, range: [-1, categories.length * slots - 1] }, y: { range: (_, low, high) => [0, 1.08 * high || 1] } },
    axes: [{ ...axisLook(), splits: () => categories.map((_, category) => category * slots + middle), values: () => categories, grid: { show: false },
      ...(narrow ? { rotate: -35, size: 84 } : { size: 28 }) },
      { ...axisLook(), size: 62, values: (_, ticks) => ticks.map(tell) }],
  }, [xs, ...columns], box);
}

function figureTable(name, columns, cellOf) {
  const head = make("tr", {}, make("th", { scope: "col" }, "Model"), ...columns.map((column) => make("th", { scope: "col" }, column)));
  const rows = models.map((model, place) => make("tr", {}, make("th", { scope: "row" }, model), ...columns.map((_, column) => make("td", {}, cellOf(place, column)))));
  return make("table", { class: "numbers" }, make("caption", {}, name), make("thead", {}, head), make("tbody", {}, ...rows));
}

function addChart(id, title, { wide = false, control = null, draw, table }) {
  const box = make("div", { class: "plot", role: "img", "aria-label": title + "; the same figures are in the table below" });
  const figures = make("div", { class: "scroll" }, table());
  byId("charts").append(make("article", { class: "panel card chart" + (wide ? " wide" : ""), id },
    make("div", { class: "section-head" }, make("h3", {}, title), control), box,
    make("details", { class: "as-table" }, make("summary", {}, "As a table"), figures)));
  const chart = { box, draw, plot: null, refresh: () => { redraw(chart); figures.replaceChildren(table()); } };
  drawn.push(chart);
  redraw(chart);
  return chart;
}

function redraw(chart) {
  chart.plot?.destroy();
  chart.plot = chart.draw(chart.box, { width: Math.max(chart.box.clientWidth, 200), height: 260 });
}

function addCurves() {
  const { ks } = content.run;
  const name = () => (curveRates === "pass_at" ? "pass@" : "pass^");
  const table = () => figureTable(name() + "k with 95 % intervals", ks.map((k) => name() + k), (model, column) => {
    const rate = totalOf.get(models[model])[curveRates][column];
    return (rateText(rate) + " " + intervalText(rate)).trim();
  });
  const control = make("div", { class: "choice", role: "group", "aria-label": "Which rate to plot" });
  const chart = addChart("chart-pass", "Chance to solve a scenario, by number of attempts k", { wide: true, control, draw: drawCurves, table });
  fillChoice(control, [["pass_at", "pass@k: one of k"], ["pass_all", "pass^k: all of k"]], (rates) => { curveRates = rates; chart.refresh(); });
}

function addBars(id, title, categories, valuesOf, tell) {
  const values = models.map((model) => valuesOf(totalOf.get(model)));
  const known = categories.map((_, column) => values.some((row) => row[column] !== null));
  if (!known.some(Boolean)) return;
  const kept = { categories: categories.filter((_, column) => known[column]), values: values.map((row) => row.filter((_, column) => known[column])), tell };
  addChart(id, title, { draw: (box, size) => drawBars(box, size, kept),
    table: () => figureTable(title, kept.categories, (model, column) => (kept.values[model][column] === null ? "n/a" : tell(kept.values[model][column]))) });
}

const shortNumber = (value) => Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
const STAGES = ["candidate", "environment", "precondition", "apply", "validate"];

function showCharts() {
  byId("model-legend").append(...models.map((model, place) => {
    const swatch = make("span", { class: "swatch" + (place < COLOURS ? "" : " repeated"), "aria-hidden": "true" });
    swatch.style.setProperty("--colour", "var(--model-" + (place % COLOURS) + ")");
    return make("li", {}, swatch, " " + model);
  }));
  if (!models.length) return;
  if (content.run.ks.length) addCurves();
  const named = content.groups.flatMap((group) => Object.keys(group.seconds));
  const stages = [...new Set([...STAGES.filter((stage) => named.includes(stage)), ...named])];
  addBars("chart-seconds", "Mean time of a scored attempt by stage", stages, (group) => stages.map((stage) => group.seconds[stage] ?? null),
    (value) => (value < 60 ? Number(value.toPrecision(3)) + " s" : seconds(value)));
  const perAttempt = (value, { tally }) => (value === null ? null : value / (sum(Object.values(tally)) || 1));
  addBars("chart-tokens", "Tokens per attempt (in, out) and per solved scenario", ["in", "out", "per solved"], (group) =>
    [perAttempt(group.usage.input_tokens, group), perAttempt(group.usage.output_tokens, group), group.tokens_per_solved], shortNumber);
  addBars("chart-cost", "US dollars per attempt and per solved scenario", ["per attempt", "per solved"], (group) =>
    [perAttempt(group.usage.cost, group), group.cost_per_solved], (value) => "$" + Number(value.toPrecision(3)));
  listenForLooks();
}

function listenForLooks() {
  const redrawAll = () => drawn.forEach(redraw);
  const watcher = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const { plot } = drawn.find(({ box }) => box === target);
      if (contentRect.width && Math.abs(plot.width - contentRect.width) > 1) plot.setSize({ width: contentRect.width, height: plot.height });
    }
  });
  for (const { box } of drawn) watcher.observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  // On paper everything is light, and the tables are open.
  const closed = [];
  addEventListener("beforeprint", () => {
    document.documentElement.dataset.theme = "light";
    closed.push(...document.querySelectorAll("details.as-table:not([open])"));
    for (const table of closed) table.open = true;
    redrawAll();
  });
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset.theme;
    for (const table of closed.splice(0)) table.open = false;
    redrawAll();
  });
}
