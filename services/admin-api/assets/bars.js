/** Numbers as bars. */

import { make } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 10;
const HEIGHT = 60;

/**
 * A figure with a bar for each number.
 *
 * @param {HTMLElement} caption
 * @param {string} text says the same in words
 * @param {number[]} counts
 * @param {...HTMLElement} below what stands under the bars
 */
export function bars(caption, text, counts, ...below) {
  const highest = Math.max(...counts);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${counts.length * STEP} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", text);
  svg.append(...counts.map((count, index) => bar(index, highest ? (count / highest) * (HEIGHT - 2) : 0)));
  return make("figure", "", caption, svg, ...below);
}

function bar(index, height) {
  const element = document.createElementNS(SVG, "rect");
  // What counts nothing has a line to stand on.
  const size = Math.max(1, height);
  const shape = { x: index * STEP + 1, y: HEIGHT - size, width: STEP - 2, height: size, rx: 1 };
  for (const [key, value] of Object.entries(shape)) element.setAttribute(key, String(value));
  element.setAttribute("class", height ? "bar" : "bar none");
  return element;
}
