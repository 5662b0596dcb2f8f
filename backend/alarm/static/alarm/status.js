// The live page: the alarm and the house's cards from /ws/status/, what happened lately, and the scheduler's table.

import { ago, clock, everySecond, followTasks, openSocket, say } from "../asyncsched/tasks.js";
import { followLately } from "./lately.js";
import { followAlarm } from "./panel.js";

const SILENCE = 10_000; // ms; a push comes every two seconds
const connection = document.getElementById("connection");
const news = document.getElementById("news");
let wasLost = false;

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
    const [state, word, detail] = CARDS[card.dataset.key](payload[card.dataset.key]);
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

function showConnection(state) {
  connection.hidden = false;
  connection.dataset.state = { live: "ok", lost: "wait", refused: "bad" }[state];
  document.body.toggleAttribute("data-stale", state !== "live");
  if (state === "refused") {
    const link = Object.assign(document.createElement("a"), { href: location.href, textContent: "Signed out: sign in again" });
    if (!connection.querySelector("a")) connection.replaceChildren(link);
    return;
  }
  say(connection, state === "live" ? "Live" : "Reconnecting …");
  if ((state === "lost") !== wasLost) announce(state === "lost" ? "Connection lost" : "Connected again");
  wasLost = state === "lost";
}

const alarm = followAlarm(document.getElementById("panel"), { announce });
const lately = followLately(document.getElementById("lately"));
const status = openSocket("/ws/status/", { onMessage: show, onState: showConnection, silence: SILENCE });
const tasks = followTasks(document.getElementById("tasks"), { announce });
everySecond({
  tick() { status.check(); alarm.tick(); lately.tick(); tasks.tick(); },
  wake() { status.reopen(); tasks.wake(); },
});
