// What happened lately: asked for whenever a push says that there is something new.

import { clock } from "../asyncsched/clock.js";
import { ago, element, moment, say } from "../asyncsched/words.js";

/** Keeps the feeds in `section` current, with times in `zone`. Returns { learn(mark), look(), tick() }. */
export function followLately(section, { zone }) {
  const lists = [...section.querySelectorAll("ol[data-key]")];
  let shown = section.dataset.mark, busy = false, again = false;

  async function look() {
    if (busy) { again = true; return; }
    busy = true;
    again = false;
    try {
      const response = await fetch(section.dataset.url, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(10_000) });
      if (!response.ok) throw new Error(`${section.dataset.url}: ${response.status}`);
      const found = await response.json();
      clock.learn(found.now);
      for (const list of lists) list.replaceChildren(...found[list.dataset.key].map((one) => row(one, zone)));
      shown = found.mark;
      tick();
    } catch (error) {
      console.info("lately: trying again with the next push", error);
    } finally {
      busy = false;
      if (again) void look();
    }
  }

  function tick() {
    for (const when of section.querySelectorAll("time")) {
      when.title ||= when.textContent; // as the server wrote it
      say(when, ago(clock.now() - Date.parse(when.dateTime)));
    }
  }

  return { learn(mark) { if (mark && mark !== shown && !document.hidden) void look(); }, look, tick };
}

function row({ at, text, word, tone, by }, zone) {
  const item = document.createElement("li");
  const state = element("span", { className: "state", textContent: word });
  if (tone) state.dataset.status = tone;
  const when = element("span", { className: "relative" });
  when.append(element("time", { dateTime: at, title: moment(Date.parse(at), zone, true) }), by ? ` · ${by}` : "");
  item.append(element("span", { className: "text", textContent: text }), " ", state, " ", when);
  return item;
}
