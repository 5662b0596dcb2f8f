// Keeps the timeline current: the present moves each second, and the drawing is fetched anew when there is news.

import { clock } from "./clock.js";
import { Rhythm, fetchPart, renew } from "./refresh.js";
import { say } from "./words.js";

const RHYTHM = { every: 60_000, soonest: 5_000, writtenAfter: 1_500 }; // ms
const GOOD = new Set(["running", "succeeded", "skipped"]);

/** Keeps `section` current. Returns { tick(), wake(), onRun(message) }. */
export function followTimeline(section) {
  const rhythm = new Rhythm(RHYTHM);
  let busy = false;

  async function draw() {
    if (busy) return;
    busy = true;
    rhythm.begin();
    try {
      renew(section, await fetchPart(section.dataset.url, section.id));
      rhythm.end();
    } catch (error) {
      console.info("timeline: not fetched", error);
      rhythm.end(error);
    } finally {
      busy = false;
      movePresent();
    }
  }
  function movePresent() {
    const [start, end] = [section.dataset.start, section.dataset.end].map(Date.parse);
    const place = `${Math.min(100, Math.max(0, ((clock.now() - start) / (end - start)) * 100)).toFixed(3)}%`;
    for (const line of section.querySelectorAll(".present")) for (const x of ["x1", "x2"]) line.setAttribute(x, place);
  }

  readOut(section);
  const scroller = section.querySelector(".scroller");
  scroller.scrollLeft = (scroller.scrollWidth - scroller.clientWidth) / 2;
  return {
    tick() {
      movePresent();
      if (rhythm.isDue) void draw();
    },
    wake() { void draw(); },
    onRun({ type, id, task, status }) {
      if (type === "progress") return;
      // Of a task below a minute a success is drawn with the others of its minute.
      if (GOOD.has(status) && section.querySelector(`li[data-task="${CSS.escape(task)}"]`)?.hasAttribute("data-often")) return;
      if (status === "skipped") rhythm.forget(id); // the next drawing is soon enough for that
      else rhythm.hear(id);
    },
  };
}

/** Says below the drawing what the pointer or the focus is on, and lets arrow keys go from run to run. */
function readOut(section) {
  const textOf = (target) => target.closest?.(".timeline :is(a, .hit, .stall)")?.querySelector("title")?.textContent;
  for (const kind of ["pointerover", "focusin"]) {
    section.addEventListener(kind, ({ target }) => {
      const text = textOf(target);
      const task = target.closest("li[data-task]")?.dataset.task;
      if (text) say(section.querySelector(".readout"), task ? `${task}: ${text}` : text);
    });
  }
  section.addEventListener("keydown", (event) => {
    const run = event.target.closest("a");
    const track = run?.closest(".track");
    if (!track) return;
    const runs = [...track.querySelectorAll("a")];
    const at = runs.indexOf(run);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: runs.length - 1 }[event.key];
    if (!runs[to]) return;
    event.preventDefault();
    run.setAttribute("tabindex", -1);
    runs[to].setAttribute("tabindex", 0);
    runs[to].focus();
  });
}
