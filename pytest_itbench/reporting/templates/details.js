// One attempt in a dialog. Its texts are packed in the page, and unpacked when somebody opens them.
let shownDetails = null; // the place in `cells` of the attempt in the dialog
let packed = null;
const cutTexts = new Set(content.cut_texts);
const LONGEST_COLOURED = 60000;
const LANGUAGES = { yml: "yaml", yaml: "yaml", json: "json", md: "markdown", py: "python", sh: "bash" };
const TITLES = { candidate: "Candidate", apply: "Tool output", "apply-after-change": "Tool output of the run after the change", "apply-again": "Tool output of the last run", reply: "Reply", prompt: "Prompt" };
const MIDDLE_DOT = " · ";

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
  const total = Math.max(sum(Object.values(timings)), 1e-9);
  return Object.entries(timings).flatMap(([stage, value]) =>
    [make("span", {}, stage), bar(value / total), make("span", { class: "number" }, seconds(value))]);
}

function decodeSafely(target) {
  try { return decodeURIComponent(target); } catch { return target; }
}

async function unpack(place) {
  packed ??= byId("texts").textContent.split("\n");
  const bytes = Uint8Array.from(atob(packed[place]), (char) => char.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
}

// The tokens of highlight.js as elements made here: its own output is markup, and none of that enters the page.
function tokenNodes(children) {
  return children.map((child) => (typeof child === "string" ? child
    : make("span", { class: child.scope ? "hl-" + child.scope.split(".")[0] : null }, ...tokenNodes(child.children))));
}

function coloured(text, language) {
  if (!language || text.length > LONGEST_COLOURED) return [text];
  try {
    return tokenNodes(hljs.highlight(text, { language, ignoreIllegals: true })._emitter.root.children);
  } catch {
    return [text];
  }
}

function save(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function showText(section, target, place) {
  const name = decodeSafely(target).split("/").pop();
  const body = section.querySelector(".text-body");
  try {
    const text = await unpack(place);
    const download = make("button", { type: "button" }, "Download");
    download.addEventListener("click", () => save(text, name));
    section.querySelector(".text-tools").prepend(download);
    body.append(text ? make("pre", { tabindex: "0" }, ...coloured(text, LANGUAGES[name.split(".").pop()])) : make("p", { class: "none" }, "Empty."));
    if (cutTexts.has(place)) body.append(make("p", { class: "none" }, "Cut here: the file is longer."));
  } catch {
    body.append(make("p", { class: "none" }, "This browser cannot unpack the text: open the file."));
  }
  section.dataset.state = "shown";
}

function fileLink(what, target) {
  return make("a", { href: target, target: "_blank", rel: "noopener noreferrer", "aria-label": "Open the file of " + what }, decodeSafely(target));
}

function textSection([what, [target, place]]) {
  const section = make("details", { class: "text", "data-what": what }, make("summary", {}, TITLES[what] ?? what),
    make("div", { class: "text-tools" }, fileLink(what, target)), make("div", { class: "text-body" }));
  section.addEventListener("toggle", () => {
    if (section.open && !section.dataset.state) {
      section.dataset.state = "loading";
      showText(section, target, place);
    }
  });
  section.open = what === "candidate";
  return section;
}

function evidenceParts(evidence) {
  const inOrder = [...Object.keys(TITLES), ...Object.keys(evidence)].filter((what) => what in evidence);
  const entries = [...new Set(inOrder)].map((what) => [what, evidence[what]]);
  const texts = entries.filter(([, [, place]]) => place !== null);
  const others = entries.filter(([, [, place]]) => place === null);
  return [...(texts.length ? part("Evidence", ...texts.map(textSection)) : []),
    ...(others.length ? part("Files beside this page", make("ul", { class: "files" },
      ...others.map(([what, [target]]) => make("li", {}, (TITLES[what] ?? what) + ": ", fileLink(what, target))))) : [])];
}

function detailFacts(result, attempt) {
  const usage = usageText(attempt.usage);
  const spent = Object.values(attempt.timings);
  return make("dl", { class: "grid" }, fact("Model", result.model), fact("Domain", result.domain), fact("Difficulty", result.difficulty),
    fact("Tags", result.tags.join(", ") || "none"), fact("Prompt level", String(attempt.level)), fact("Worker", attempt.worker),
    fact("Started", moment(attempt.started)), fact("Checks passed", attempt.score === null ? "none was run" : percent(attempt.score)),
    attempt.taken ? fact("Candidate", attempt.taken) : null, spent.length ? fact("Time", seconds(sum(spent))) : null, usage ? fact("Usage", usage) : null);
}

function detailParts({ result, attempt }) {
  const ended = (attempt.kind ? attempt.kind + ", " : "") + "ended at stage " + attempt.stage;
  return [make("p", {}, make("span", { class: "badge " + attempt.verdict }, SYMBOLS[attempt.verdict] + " " + attempt.verdict), make("span", { class: "ended" }, ended)),
    ...(attempt.message ? [make("pre", {}, attempt.message)] : []), ...(attempt.hint ? [make("p", { class: "hint" }, "What to do: " + attempt.hint)] : []),
    detailFacts(result, attempt),
    ...(attempt.checks.length ? part("Checks", make("ul", { class: "checks" }, ...attempt.checks.map(checkItem))) : []),
    ...evidenceParts(attempt.evidence),
    ...(Object.keys(attempt.timings).length ? part("Time by stage", make("div", { class: "timings" }, ...timingRows(attempt.timings))) : [])];
}

function showDetails(place) {
  const cell = cells[place];
  shownDetails = place;
  byId("details-title").textContent = cell.result.scenario + MIDDLE_DOT + cell.result.model + MIDDLE_DOT + "attempt " + (cell.attempt.index + 1);
  byId("details-body").replaceChildren(...detailParts(cell));
  byId("details-previous").disabled = stepTo(-1) === null;
  byId("details-next").disabled = stepTo(1) === null;
  byId("details-link").setAttribute("href", "#attempt=" + attemptAddress(cell));
  setTabStop(cell.button);
  if (!byId("details").open) byId("details").showModal();
  byId("details").scrollTop = 0;
}

function openDetails(place) {
  showDetails(place);
  writeAddress({ push: true });
}

function stepTo(step) {
  for (let at = order.indexOf(shownDetails) + step; at >= 0 && at < order.length; at += step) {
    const { button } = cells[order[at]];
    if (visible(button) && !button.classList.contains("faded")) return order[at];
  }
  return null;
}

function listenToDetails() {
  const dialog = byId("details");
  byId("details-previous").addEventListener("click", () => openDetails(stepTo(-1)));
  byId("details-next").addEventListener("click", () => openDetails(stepTo(1)));
  byId("details-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    if (shownDetails === null) return; // the address closed it
    const { button } = cells[shownDetails];
    shownDetails = null;
    writeAddress({ push: true });
    button.focus();
  });
}
