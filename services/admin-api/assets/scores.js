/** How the photos of a species are scored. */

import { call, Problem } from "./api.js";
import { bars } from "./bars.js";
import { byId, make, warn } from "./page.js";
import { number } from "./tables.js";

const LOWEST = 1;
const HIGHEST = 5;
const BUCKETS = 20;
const SPECIES = 100;

/** Wires the choice of a species. */
export function prepare() {
  byId("scores-species").addEventListener("change", () => draw().catch((error) => warn(error.message)));
}

/** Offers the species that are ticked most, and draws the one that is chosen. */
export async function show() {
  const { items, k } = await call("GET", `/api/v1/statistics/species/top?limit=${SPECIES}`);
  const list = byId("scores-species");
  const chosen = list.value;
  list.replaceChildren(...items.map(({ species }) => option(species)));
  if (items.some(({ species }) => species.id === chosen)) list.value = chosen;
  byId("scores-field").hidden = items.length === 0;
  byId("scores-text").textContent = items.length
    ? `Scores of fewer than ${k} people are not shown: nobody can be picked out.`
    : `No species has been ticked by ${k} people yet.`;
  await draw();
}

function option({ id, english, scientific }) {
  const element = make("option", "", english || scientific);
  element.value = id;
  return element;
}

async function draw() {
  const { value: id, selectedOptions: [selected] } = byId("scores-species");
  const spread = selected ? await scoresOf(id) : null;
  // Another species may have been chosen meanwhile.
  if (byId("scores-species").value !== id) return;
  byId("scores").replaceChildren(...(spread ? [chart(selected.textContent, spread)] : []));
}

/** @returns {Promise<any>} nothing when somebody left, so that too few remain */
async function scoresOf(id) {
  try {
    return await call("GET", `/api/v1/statistics/species/${encodeURIComponent(id)}/scores`);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

function chart(name, { items, count }) {
  const counts = new Array(BUCKETS).fill(0);
  for (const { from, count: photos } of items) counts[Math.round(((from - LOWEST) / (HIGHEST - LOWEST)) * BUCKETS)] = photos;
  const parts = items.map(({ from, to, count: photos }) => `${number(photos)} from ${from} to ${to}`);
  const text = [`Scores of ${name}: ${number(count)} photos`, ...parts].join(", ");
  const ends = make("p", "ends soft", make("span", "", String(LOWEST)), make("span", "", String(HIGHEST)));
  return bars(make("figcaption", "", make("b", "", "Photos"), ` ${number(count)}`), text, counts, ends);
}
