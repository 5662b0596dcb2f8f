// Keeps the page of a run, or of a task, current: it is fetched anew when a message says that it has changed.

import { followActions } from "./actions.js";
import { clock, everySecond } from "./clock.js";
import { Connection, followConnection } from "./connection.js";
import { Rhythm, fetchPart, isSelected, renew } from "./refresh.js";
import { openSocket } from "./socket.js";
import { say, took } from "./words.js";

const RHYTHM = { every: 30_000, soonest: 2_000, writtenAfter: 1_000 }; // ms; now and then, in case a message was lost
const OFTEN = 10_000; // ms from one time to the next, of a task that always has news
const UNDER_WAY = 4_000; // ms from one time to the next, while people wait for a run and no message tells of it

const current = document.getElementById("current");
const isFollowed = () => "follow" in current.dataset; // a run that has ended, or a page of old ones, does not change
const rhythm = new Rhythm({ ...RHYTHM, soonest: "often" in current.dataset ? OFTEN : RHYTHM.soonest });
const showConnection = followConnection(document.getElementById("connection"), { announce, zone: current.dataset.zone });
const connection = new Connection(showConnection, true); // it has just sent this page
let busy = false, socket = null;

async function show() {
  if (busy || isSelected(current)) return;
  busy = true;
  rhythm.begin();
  try {
    const { run } = current.dataset;
    renew(current, await fetchPart(location.href, current.id));
    clock.learn(current.dataset.now);
    if (run && !isFollowed()) announce(`The run has ended: ${current.querySelector(".verdict .state").textContent}`);
    ended();
  } catch (error) {
    console.info("page: not fetched", error);
    ended(error);
  }
  busy = false;
  offerCopies();
  showTime();
}

function ended(error) {
  rhythm.end(error);
  if (!isFollowed()) return;
  if (error && connection.isLive) socket?.reopen(); // it may be dead as well, and not know it
  connection.answered(error);
  rhythm.every = !error && !connection.isLive && "busy" in current.dataset ? UNDER_WAY : RHYTHM.every;
}

function onMessage(message) {
  const { run, task } = current.dataset;
  if (message.type === "progress") showProgress(message);
  else if (message.type === "resync" || message.id === run || message.task === task) rhythm.hear(message.id);
}

function showProgress({ id, done, total }) {
  const line = current.querySelector(".progress");
  if (!line || id !== current.dataset.run) return;
  line.hidden = false;
  const bar = line.querySelector("progress");
  if (total == null) bar.removeAttribute("value");
  else Object.assign(bar, { max: total, value: done });
  say(line.querySelector("span"), total == null ? `${done} done` : `${done} of ${total}`);
}

function showTime() {
  const since = current.querySelector("[data-since]");
  if (!since) return;
  const seconds = Math.max(0, Math.floor((clock.now() - Date.parse(since.dataset.since)) / 1000));
  say(since, seconds < 60 ? `${seconds} s` : took(seconds));
}

/** Shows the buttons that copy a text. Where a page may not write to the clipboard the text is marked instead. */
function offerCopies() {
  for (const button of current.querySelectorAll("[data-copies]")) {
    button.hidden = false;
    button.onclick = async () => {
      const text = document.getElementById(button.dataset.copies);
      try {
        await navigator.clipboard.writeText(text.textContent);
        announce("Copied");
        say(button, "Copied");
      } catch {
        getSelection().selectAllChildren(text);
      }
    };
  }
}

function announce(text) {
  document.getElementById("news").textContent = text;
}

function onState(state) {
  if (connection.turn(state)) rhythm.hear(); // something may have happened meanwhile; or the server is not there at all
}

clock.learn(current.dataset.now);
offerCopies();
showTime();
followActions(document.getElementById("main"), { onDone: show });
if (isFollowed()) {
  const { socket: address } = current.dataset;
  if (address) socket = openSocket(address, { onMessage, onState });
  else ended();
  everySecond({
    tick() {
      showTime();
      if (isFollowed() && rhythm.isDue) void show();
    },
    wake() {
      socket?.reopen();
      if (isFollowed()) void show();
    },
  });
}
