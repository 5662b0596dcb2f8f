// The live page: the alarm and the house's cards from /ws/status/, what happened lately, and the scheduler's table.

import { clock, everySecond } from "../asyncsched/clock.js";
import { followConnection } from "../asyncsched/connection.js";
import { openSocket } from "../asyncsched/socket.js";
import { followTasks } from "../asyncsched/tasks.js";
import { followTimeline } from "../asyncsched/timeline.js";
import { ago, say } from "../asyncsched/words.js";
import { followLately } from "./lately.js";
import { followAlarm } from "./panel.js";

const SILENCE = 10_000; // ms; a push comes every two seconds
const news = document.getElementById("news");

/** What a card says of its part of the payload: [state, word, detail]. alarm/cards.py says the same. */
const CARDS = {
  home_assistant(found) {
    const detail = found.reachable ? `Version ${found.version} · ${Math.round(found.latency_ms)} ms` : found.error;
    return [...judge(found, found.reachable, found.checked_at, ["Reachable", "Unreachable", "Checking"]), detail];
  },
  mqtt(found) {
    return [...judge(found, found.connected, found.error, ["Connected", "Not connected", "Connecting"]), found.error];
  },
  frigate(found) {
    const detail = !found.error && found.last_event_at ? `Last event ${ago(clock.now() - Date.parse(found.last_event_at))}` : found.error;
    const bad = found.available ? "In trouble" : "Not available";
    return [...judge(found, found.available && !found.error, found.error, ["Available", bad, "Waiting"]), detail];
  },
  zigbee2mqtt(found) {
    return [...judge(found, found.available, found.error, ["Available", "Not available", "Waiting"]), found.error];
  },
  zwave_js(found) {
    const detail = found.connected ? `Version ${found.version} · ${found.nodes} nodes` : found.error;
    return [...judge(found, found.connected, found.error, ["Connected", "Not connected", "Connecting"]), detail];
  },
  scheduler({ tasks, failing, leader, lateness_ms_p99: late }) {
    if (!tasks) return ["off", "Not running", ""];
    const detail = `${tasks} tasks` + (late == null ? "" : ` · on time to ${Math.round(late)} ms`);
    return failing ? ["bad", `${failing} failing`, detail] : ["ok", leader ? "Running" : "Standing by", detail];
  },
};

function judge(found, good, known, [yes, no, unknown]) {
  if (!found.configured) return ["off", "Not configured"];
  if (good) return ["ok", yes];
  return known ? ["bad", no] : ["wait", unknown];
}

function show({ type, timestamp, payload, lately: mark }) {
  clock.learn(timestamp);
  if (type === "alarm_state") {
    alarm.show(payload);
    void lately.look();
    return;
  }
  alarm.show(payload.alarm);
  lately.learn(mark);
  for (const card of document.querySelectorAll(".card")) {
    const found = payload[card.dataset.key];
    if (!found) continue; // it was taken out of the settings since this page was loaded
    const [state, word, detail] = CARDS[card.dataset.key](found);
    if (card.dataset.state !== state) {
      // Only what turns is announced: a push every two seconds is nothing to listen to.
      announce(`${card.querySelector("h3").textContent}: ${word}`);
      card.dataset.state = state;
    }
    say(card.querySelector(".word"), word);
    say(card.querySelector(".detail"), detail ?? "");
  }
}

function announce(text) {
  news.textContent = text;
}

const table = document.getElementById("tasks");
const alarm = followAlarm(document.getElementById("panel"), { announce });
const lately = followLately(document.getElementById("lately"), { zone: table.dataset.zone });
const status = openSocket("ws/status/", {
  onMessage: show,
  onState: followConnection(document.getElementById("connection"), { announce, zone: table.dataset.zone }),
  silence: SILENCE,
});
const chart = document.getElementById("timeline"); // not for everybody
const timeline = chart ? followTimeline(chart) : { tick() {}, wake() {}, onRun() {} };
const tasks = followTasks(table, { announce, onMessage: timeline.onRun });
everySecond({
  tick() { status.check(); alarm.tick(); lately.tick(); tasks.tick(); timeline.tick(); },
  wake() { status.reopen(); tasks.wake(); timeline.wake(); },
});
