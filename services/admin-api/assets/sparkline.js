/** A small line of how many ticks came in while somebody watches. */

const SVG = "http://www.w3.org/2000/svg";
const SAMPLES = 120;
const WIDTH = 240;
const HEIGHT = 48;

/** Ticks between two looks, oldest first. @type {{at: number, value: number}[]} */
const increases = [];
/** @type {number | null} */
let last = null;

/**
 * Adds a total and draws again.
 *
 * @param {SVGSVGElement} svg
 * @param {HTMLElement} caption says the same in words
 * @param {number} total all ticks so far
 */
export function addTotal(svg, caption, total) {
  // An erasure may lower the total; a line below nothing would say nothing.
  if (last !== null) increases.push({ at: Date.now(), value: Math.max(0, total - last) });
  last = total;
  if (increases.length > SAMPLES) increases.shift();
  if (increases.length < 2) return;
  draw(svg);
  const sum = increases.reduce((all, { value }) => all + value, 0);
  const seconds = Math.round((increases.at(-1).at - increases[0].at) / 1000);
  const span = seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  caption.textContent = `${sum.toLocaleString("en-GB")} new in the last ${span}`;
}

function draw(svg) {
  const highest = Math.max(1, ...increases.map(({ value }) => value));
  const step = WIDTH / (increases.length - 1);
  const points = increases.map(({ value }, index) => {
    const x = (index * step).toFixed(1);
    return `${x},${(HEIGHT - 2 - (value / highest) * (HEIGHT - 6)).toFixed(1)}`;
  });
  svg.replaceChildren(
    path("area", `M0,${HEIGHT} L${points.join(" L")} L${WIDTH},${HEIGHT} Z`),
    path("line", `M${points.join(" L")}`),
  );
}

function path(name, shape) {
  const element = document.createElementNS(SVG, "path");
  element.setAttribute("class", name);
  element.setAttribute("d", shape);
  return element;
}
