/** Who comes back: of those who first ticked in a week, how many ticked or rated in later ones. */

import { call } from "./api.js";
import { byId } from "./page.js";
import { cell, day, heading, number, row, showRows } from "./tables.js";

const LAST_WEEK = 11;

/** Fills the table, the newest week first. */
export async function show() {
  const { items, k } = await call("GET", "/api/v1/statistics/retention");
  byId("retention-head").replaceChildren(row(...["First ticked in the week of", "People", ...later()].map(title)));
  showRows(byId("retention"), items.reverse().map(cohort));
  byId("retention-text").textContent = `Fewer than ${k} people are not shown: nobody can be picked out.`;
}

function later() {
  return Array.from({ length: LAST_WEEK }, (_, index) => `+${index + 1}`);
}

function title(text, index) {
  const element = heading(text);
  element.scope = "col";
  if (index) element.className = "number";
  return element;
}

function cohort({ week, people, weeks }) {
  const shares = new Map(weeks.map(({ after, share }) => [after, share]));
  const cells = later().map((_, index) => part(shares.get(index + 1)));
  return row(heading(day(week)), cell(number(people), "number"), ...cells);
}

/** The more came back, the stronger its colour; what is not told has none. */
function part(share) {
  const element = cell(share === undefined ? "–" : `${Math.round(share * 100)} %`, "number part");
  element.style.setProperty("--part", `${Math.round((share ?? 0) * 100)}%`);
  return element;
}
