"use strict";
// The files of this script are joined in the order of html.OWN_SCRIPTS. Every string of the run enters the page as
// text (textContent, attributes), never as markup; the page's policy refuses anything else (Trusted Types).
const byId = (id) => document.getElementById(id);
const content = JSON.parse(byId("content").textContent);
const SYMBOLS = { solved: "✓", missed: "×", invalid: "!" };
const models = content.groups.filter((group) => group.by === "all").map((group) => group.model);
const totalOf = new Map(content.groups.filter((group) => group.by === "all").map((group) => [group.model, group]));

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
const percent = (value) => Math.round(100 * value) + " %";
const money = (value) => "$" + value.toFixed(value < 1 ? 4 : 2);
const whole = (value) => Math.round(value).toLocaleString("en");
const sum = (values) => values.reduce((total, value) => total + value, 0);

function intervalText(rate) {
  return rate.low === null || rate.high === null ? "" : "[" + rate.low.toFixed(2) + ", " + rate.high.toFixed(2) + "]";
}

function bar(fraction, kind) {
  const fill = make("span", kind ? { class: "fill-" + kind } : {});
  fill.style.width = 100 * fraction + "%";
  return make("span", { class: "bar", "aria-hidden": "true" }, fill);
}

// A group of buttons of which one is pressed.
function fillChoice(place, entries, choose) {
  for (const [index, [value, label]] of entries.entries()) {
    const button = make("button", { type: "button", "aria-pressed": String(index === 0) }, label);
    button.addEventListener("click", () => {
      for (const other of place.children) other.setAttribute("aria-pressed", String(other === button));
      choose(value);
    });
    place.append(button);
  }
}

function usageText(usage) {
  const parts = [];
  if (usage.requests) parts.push(count(usage.requests, "request"));
  if (usage.input_tokens !== null) parts.push(whole(usage.input_tokens) + " tokens in");
  if (usage.output_tokens !== null) parts.push(whole(usage.output_tokens) + " out");
  if (usage.cost !== null) parts.push(money(usage.cost));
  return parts.join(" · ");
}
