// The latest runs of a task, drawn in one cell. web/spark_line.py draws the same.

import { took } from "./words.js";

const MOST_RUNS = 60;
const STEP = 2; // across, per run
const HEIGHT = 24;
const HIGHEST = 18, LOWEST = 2; // strokes; above them is room for the mark of a failure
const SVG = "http://www.w3.org/2000/svg";

/** Returns `bars`, pairs of seconds and 1 for a failure, oldest first, as an element. */
export function sparkLine(bars) {
  const label = inWords(bars);
  const svg = piece("svg", { class: "spark", viewBox: `0 0 ${MOST_RUNS * STEP} ${HEIGHT}`, role: "img", "aria-label": label });
  const longest = Math.max(...bars.map(([seconds]) => seconds)) || 1;
  const first = (MOST_RUNS - bars.length) * STEP + STEP / 2;
  let good = "", bad = "";
  bars.forEach(([seconds, isBad], position) => {
    const x = first + position * STEP;
    const stroke = `M${x} ${HEIGHT}V${HEIGHT - Math.max(LOWEST, Math.round((HIGHEST * seconds) / longest))}`;
    if (isBad) bad += `${stroke}M${x} 2h0`;
    else good += stroke;
  });
  const title = piece("title", {});
  title.textContent = label;
  svg.append(title, piece("path", { class: "good", d: good }), piece("path", { class: "bad", d: bad }));
  return svg;
}

/** Returns `bars` with one more, and no more than there is room for. */
export function withBar(bars, bar) {
  return [...bars, bar].slice(-MOST_RUNS);
}

function inWords(bars) {
  const lengths = bars.map(([seconds]) => seconds);
  const [least, most] = [took(Math.min(...lengths)), took(Math.max(...lengths))];
  const failed = bars.filter(([, isBad]) => isBad).length;
  return `Latest ${bars.length}: ${least === most ? least : `${least} to ${most}`}, ${failed || "none"} failed`;
}

function piece(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
