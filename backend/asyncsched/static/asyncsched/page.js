// Keeps the page of a run, or of a task, current: it is fetched anew when a message says that it has changed.

import { followActions } from "./actions.js";
import { clock, everySecond } from "./clock.js";
import { followConnection } from "./connection.js";
import { News, fetchPart, isSelected, renew } from "./refresh.js";
import { openSocket } from "./socket.js";
import { say, took } from "./words.js";

const EVERY = 30_000; // ms; in case a message was lost
const SOONEST = 2_000; // ms from one time to the next, whatever happens
const WRITTEN_AFTER = 1_000; // ms

const current = document.getElementById("current");
const isFollowed = () => "socket" in current.dataset; // a run that has ended, or a page of old ones, does not change
const news = new News();
let shownAt = Date.now(), busy = false;

async function show() {
  if (busy || isSelected(current)) return;
  busy = true;
  news.clear();
  try {
    const { run } = current.dataset;
    renew(current, await fetchPart(location.href, current.id));
    clock.learn(current.dataset.now);
    if (run && !isFollowed()) announce(`The run has ended: ${current.querySelector(".verdict .state").textContent}`);
  } catch (error) {
    console.info("page: trying again soon", error);
    news.hear();
  }
  shownAt = Date.now();
  busy = false;
  offerCopies();
  showTime();
}

function onMessage(message) {
  const { run, task } = current.dataset;
  if (message.type === "progress") showProgress(message);
  else if (message.type === "resync" || message.id === run || message.task === task) news.hear(message.id);
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

clock.learn(current.dataset.now);
offerCopies();
showTime();
followActions(document.getElementById("main"), { onDone: show });
if (isFollowed()) {
  const showConnection = followConnection(document.getElementById("connection"), { announce, zone: current.dataset.zone });
  let known = "";
  const onState = (state) => {
    showConnection(state);
    if (state === "live" && known !== "live") news.hear(); // something may have happened meanwhile
    known = state;
  };
  const socket = openSocket(current.dataset.socket, { onMessage, onState });
  everySecond({
    tick() {
      showTime();
      const since = Date.now() - shownAt;
      if (isFollowed() && (since >= EVERY || (since >= SOONEST && news.age >= WRITTEN_AFTER))) void show();
    },
    wake() { socket.reopen(); if (isFollowed()) void show(); },
  });
}
