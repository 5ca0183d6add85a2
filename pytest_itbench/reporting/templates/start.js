function listen() {
  let waiting = 0;
  byId("filters").addEventListener("input", (event) => {
    if (event.target.id === "sort" || event.target.id === "filter-model") sortScenarios();
    filterAttempts();
    // Browsers limit how often an address may change.
    clearTimeout(waiting);
    waiting = setTimeout(() => writeAddress({ push: false }), 300);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", () => setTimeout(() => {
    sortScenarios();
    filterAttempts();
    writeAddress({ push: false });
  }));
  byId("matrix").addEventListener("keydown", moveFocus);
  byId("matrix").addEventListener("click", (event) => {
    const button = event.target.closest("button.cell");
    if (button) openDetails(Number(button.dataset.place));
  });
  listenToDetails();
  addEventListener("popstate", applyAddress);
}

showHeader();
showDecision();
showCards();
showCharts();
showGroupChoice();
if (content.run.ks.length) showGroups();
showKinds();
showMatrix();
fillSelect("filter-model", models);
fillSelect("filter-domain", [...new Set(content.scenarios.map((result) => result.domain))].sort());
fillSelect("filter-verdict", Object.keys(SYMBOLS));
if (content.reduced) {
  byId("filter-verdict").parentElement.hidden = true;
  byId("matrix-help").hidden = true;
}
listen();
applyAddress();
// How long opening took, in milliseconds: tests read it.
addEventListener("load", () => { document.documentElement.dataset.openedIn = Math.round(performance.now()); });
