/** Counts by day as bars, from the public figures. */

import { call } from "./api.js";
import { byId, make } from "./page.js";
import { number } from "./tables.js";

const SVG = "http://www.w3.org/2000/svg";
const DAYS = 30;
const DAY = 86_400_000;
const STEP = 10;
const HEIGHT = 60;

const SHOWN = [["tick", "Ticks"], ["rate", "Ratings"], ["score", "Scores"], ["login", "Log-ins"]];

/** Draws all charts. */
export async function show() {
  const series = await Promise.all(SHOWN.map(([event]) => call("GET", `/api/v1/statistics/timeseries?event=${event}`)));
  byId("days").replaceChildren(...SHOWN.map(([, name], index) => chart(name, series[index].items)));
}

function chart(name, cells) {
  const counts = byDay(cells);
  const sum = counts.reduce((all, count) => all + count, 0);
  const highest = Math.max(...counts);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${DAYS * STEP} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${name} by day: ${number(sum)} in ${DAYS} days, ${number(highest)} on the busiest`);
  svg.append(...counts.map((count, index) => bar(index, highest ? (count / highest) * (HEIGHT - 2) : 0)));
  const caption = make("figcaption", "", make("b", "", name), ` ${number(sum)}`);
  return make("figure", "", caption, svg);
}

/** One count for each of the last days, the oldest first; a day that is not told is none. */
function byDay(cells) {
  const today = Math.floor(Date.now() / DAY);
  const counts = new Array(DAYS).fill(0);
  for (const { at, count } of cells) {
    const index = DAYS - 1 - (today - Math.floor(Date.parse(at) / DAY));
    if (index >= 0 && index < DAYS) counts[index] = count;
  }
  return counts;
}

function bar(index, height) {
  const element = document.createElementNS(SVG, "rect");
  // A day without a count has a line to stand on.
  const size = Math.max(1, height);
  const shape = { x: index * STEP + 1, y: HEIGHT - size, width: STEP - 2, height: size, rx: 1 };
  for (const [key, value] of Object.entries(shape)) element.setAttribute(key, String(value));
  element.setAttribute("class", height ? "bar" : "bar none");
  return element;
}
