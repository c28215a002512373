/** Charts of the public figures: counts by day, how the photos of a species are scored, who comes back. */

import { call } from "./api.js";
import { bars } from "./bars.js";
import { byId, make } from "./page.js";
import * as retention from "./retention.js";
import * as scores from "./scores.js";
import { number } from "./tables.js";

const DAYS = 30;
const DAY = 86_400_000;

const SHOWN = [["tick", "Ticks"], ["rate", "Ratings"], ["score", "Scores"], ["login", "Log-ins"]];

/** Draws all charts. */
export async function show() {
  await Promise.all([showDays(), scores.show(), retention.show()]);
}

async function showDays() {
  const series = await Promise.all(SHOWN.map(([event]) => call("GET", `/api/v1/statistics/timeseries?event=${event}`)));
  byId("days").replaceChildren(...SHOWN.map(([, name], index) => chart(name, series[index].items)));
}

function chart(name, cells) {
  const counts = byDay(cells);
  const sum = counts.reduce((all, count) => all + count, 0);
  const text = `${name} by day: ${number(sum)} in ${DAYS} days, ${number(Math.max(...counts))} on the busiest`;
  return bars(make("figcaption", "", make("b", "", name), ` ${number(sum)}`), text, counts);
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
