/** Producers, streams and consumers, with what passes between them now. */

import { byId } from "./page.js";
import { number } from "./tables.js";

const SVG = "http://www.w3.org/2000/svg";
const COLUMNS = [10, 290, 590];
const WIDTHS = [150, 170, 160];
const ROW = 46;
const BOX = 36;

/** The last sequence of each stream at the look before, to tell a rate. @type {Map<string, {at: number, seq: number}>} */
const before = new Map();

/** @param {{streams: any[], consumers: any[]}} overview */
export function show({ streams, consumers }) {
  const rates = new Map(streams.map((stream) => [stream.name, rate(stream)]));
  const names = [
    unique(streams.flatMap(({ producers }) => producers)),
    streams.map(({ name }) => name),
    unique(consumers.map(({ name }) => name)),
  ];
  const rows = Math.max(...names.map(({ length }) => length));
  const places = names.map((column, index) => place(column, index, rows));
  const svg = byId("flow");
  svg.setAttribute("viewBox", `0 0 ${COLUMNS[2] + WIDTHS[2] + 10} ${rows * ROW + 10}`);
  const told = streams.flatMap(({ name, producers }) => producers.map((one) => line(places[0].get(one), places[1].get(name), 0, rates.get(name))));
  const heard = consumers.map(({ stream, name }) => line(places[1].get(stream), places[2].get(name), 1, rates.get(stream)));
  svg.replaceChildren(
    ...told, ...heard,
    ...boxes(places[0], 0, () => ""),
    ...boxes(places[1], 1, (name) => `${rates.get(name).toFixed(1)}/s`),
    ...boxes(places[2], 2, (name) => waiting(consumers, name)),
  );
  const all = [...rates.values()].reduce((sum, one) => sum + one, 0);
  byId("flow-text").textContent = `${all.toFixed(1)} events a second pass; consumers wait for ${number(consumers.reduce((sum, { pending }) => sum + pending, 0))}.`;
}

function rate({ name, last_seq: seq }) {
  const now = Date.now();
  const last = before.get(name);
  before.set(name, { at: now, seq });
  if (!last || now === last.at || seq < last.seq) return 0;
  return ((seq - last.seq) * 1000) / (now - last.at);
}

function unique(all) {
  return [...new Set(all)].sort();
}

/** Where each name of a column is drawn: spread over the whole height. */
function place(names, column, rows) {
  const step = (rows * ROW) / names.length;
  return new Map(names.map((name, index) => [name, { x: COLUMNS[column], y: 5 + index * step + (step - BOX) / 2 }]));
}

function line(from, to, gap, now) {
  const [x1, x2] = [from.x + WIDTHS[gap], to.x];
  const [y1, y2] = [from.y + BOX / 2, to.y + BOX / 2];
  const middle = (x1 + x2) / 2;
  const d = `M${x1},${y1} C${middle},${y1} ${middle},${y2} ${x2},${y2}`;
  return draw("path", { d, class: now > 0 ? "flow-line now" : "flow-line", "stroke-width": (1.2 + Math.min(4, Math.log2(1 + now))).toFixed(1) });
}

function boxes(places, column, figure) {
  return [...places].flatMap(([name, { x, y }]) => {
    const box = draw("rect", { x, y, width: WIDTHS[column], height: BOX, rx: 9, class: column === 1 ? "flow-box stream" : "flow-box" });
    const label = draw("text", { x: x + 12, y: y + BOX / 2 + 5, class: "flow-name" });
    label.textContent = name;
    const right = draw("text", { x: x + WIDTHS[column] - 10, y: y + BOX / 2 + 5, class: "flow-figure", "text-anchor": "end" });
    right.textContent = figure(name);
    return [box, label, right];
  });
}

function waiting(consumers, name) {
  const pending = consumers.filter((one) => one.name === name).reduce((sum, one) => sum + one.pending, 0);
  return pending ? `${number(pending)} wait` : "";
}

function draw(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
