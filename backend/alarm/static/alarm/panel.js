// The alarm on the live page: its state, the time that is left, and the forms to change it.

import { clock } from "../asyncsched/clock.js";
import { ago, say } from "../asyncsched/words.js";

/** What the panel says of a state: [tone, word]. alarm/panel.py says the same. */
const WORDS = {
  disarmed: ["off", "Disarmed"],
  arming: ["wait", "Arming"],
  armed_home: ["ok", "Armed home"],
  armed_away: ["ok", "Armed away"],
  armed_night: ["ok", "Armed night"],
  pending: ["wait", "Somebody came in"],
  triggered: ["bad", "Alarm"],
};
const LEFT = { arming: "to leave", pending: "to disarm", triggered: "left" };

/** Keeps `section` current. Returns { show(alarm), tick() }; what is older than what it shows is ignored. */
export function followAlarm(section, { announce }) {
  const forms = [...section.querySelectorAll("form")];
  const answer = section.querySelector(".answer");
  let alarm = { version: -1 };

  function show(news) {
    if (!news.state || news.version <= alarm.version) return;
    const first = alarm.version < 0;
    alarm = news;
    const [tone, word] = WORDS[alarm.state];
    const is = alarm.state === "arming" ? `${word} ${alarm.mode}` : word;
    section.dataset.state = tone;
    say(section.querySelector(".is"), is);
    if (!first) announce(`Alarm: ${is}`);
    for (const form of forms) form.hidden = (form.dataset.when === "disarmed") !== (alarm.state === "disarmed");
    if (!first) say(answer, "");
    tick();
  }

  function tick() {
    if (!alarm.state) return;
    const left = Math.max(0, Math.ceil((Date.parse(alarm.until) - clock.now()) / 1000));
    say(section.querySelector(".for"), alarm.until ? `${inClock(left)} ${LEFT[alarm.state]}` : since(alarm.since));
  }

  async function operate(form, command) {
    const [verb, mode] = command.split("_");
    const code = form.elements.code?.value || undefined;
    const headers = { "content-type": "application/json", "x-csrftoken": form.elements.csrfmiddlewaretoken.value };
    const body = JSON.stringify({ mode, code });
    say(answer, "");
    form.inert = true;
    try {
      const response = await fetch(`${section.dataset.api}${verb}`, { method: "POST", headers, body, signal: AbortSignal.timeout(15_000) });
      if (response.ok) show(await response.json());
      else say(answer, await why(response));
    } catch (error) {
      console.info("alarm: not reached", error);
      say(answer, "The alarm could not be reached. Try again.");
    } finally {
      form.inert = false;
      if (form.elements.code) form.elements.code.value = "";
      if (!form.hidden) form.elements.code?.focus();
    }
  }

  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void operate(form, event.submitter.value);
    });
  }
  return { show, tick };
}

async function why(response) {
  if (response.status === 401) return "You are signed out. Load this page again.";
  if (!response.headers.get("content-type")?.startsWith("application/json")) return "That was refused. Load this page again.";
  return (await response.json()).error;
}

function since(iso) {
  return ago(clock.now() - Date.parse(iso)).replace(/^(.*) ago$/, "for $1");
}

function inClock(seconds) {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}
