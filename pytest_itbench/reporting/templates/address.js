// The address after # keeps filter, order and the open attempt: #q=dns&sort=least&attempt=SCENARIO/MODEL/INDEX
const FIELDS = { q: "filter-text", model: "filter-model", domain: "filter-domain", verdict: "filter-verdict", sort: "sort" };

// A lone surrogate cannot be encoded, and a colon need not be.
const encode = (text) => encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd")).replaceAll("%3A", ":");
const attemptAddress = ({ result, attempt }) => [result.scenario, result.model, String(attempt.index)].map(encode).join("/");

function readAddress() {
  const pieces = location.hash.slice(1).split("&").map((piece) => [piece.split("=", 1)[0], piece]);
  return new Map(pieces.filter(([key, piece]) => piece.length > key.length).map(([key, piece]) => [key, piece.slice(key.length + 1)]));
}

function writeAddress({ push }) {
  const pieces = Object.entries(FIELDS).filter(([, id]) => byId(id).value).map(([key, id]) => key + "=" + encode(byId(id).value));
  if (shownDetails !== null) pieces.push("attempt=" + attemptAddress(cells[shownDetails]));
  const address = pieces.length ? "#" + pieces.join("&") : location.pathname + location.search;
  history[push ? "pushState" : "replaceState"](null, "", address);
}

function applyAddress() {
  const wanted = readAddress();
  if (order.length && location.hash.length > 1 && !wanted.size) return; // a place in the page, such as #attempts
  for (const [key, id] of Object.entries(FIELDS)) {
    byId(id).value = decodeSafely(wanted.get(key) ?? "");
    if (byId(id).selectedIndex === -1) byId(id).value = ""; // nothing of that name in this run
  }
  sortScenarios();
  filterAttempts();
  const address = (wanted.get("attempt") ?? "").split("/").map((piece) => encode(decodeSafely(piece))).join("/");
  const place = address ? cells.findIndex((cell) => attemptAddress(cell) === address) : -1;
  if (place >= 0) {
    if (place !== shownDetails) showDetails(place);
  } else if (byId("details").open) {
    shownDetails = null;
    byId("details").close();
  }
}
