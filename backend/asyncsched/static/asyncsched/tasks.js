// Keeps the table of tasks current: rows from the server's JSON, runs over a WebSocket, and a clock.

import { followActions } from "./actions.js";
import { clock } from "./clock.js";
import { Connection } from "./connection.js";
import { ask as read } from "./refresh.js";
import { Row } from "./row.js";
import { openSocket } from "./socket.js";
import { say } from "./words.js";

const REST = { live: 120_000, polling: 30_000 }; // ms between two questions to the server
const QUIET = 30_000; // ms without a message after which the server is asked whether it is there
const RETRY_AFTER = 4_000;

/**
 * Keeps the table in `section` current. onState gets "live", "polling" (no socket, but the server answers), "lost"
 * or "refused"; onMessage every message of the socket. Returns { tick(), wake() } for everySecond().
 */
export function followTasks(section, { announce = () => {}, onState = () => {}, onMessage = () => {} } = {}) {
  const { zone, url, socket: address, runUrl = "" } = section.dataset;
  const rows = new Map([...section.querySelectorAll("tr[data-task]")].map((row) => [row.dataset.task, new Row(row, { zone, runUrl })]));
  const connection = new Connection((state) => {
    onState(state);
    section.toggleAttribute("data-live", state === "live");
  });
  let askedAt = 0, askAt = 0, busy = false, again = false, isBack = false;

  async function ask() {
    if (busy) { again = true; return; }
    busy = true;
    askedAt = Date.now();
    try {
      learn(await (await read(url, "application/json")).json());
      askAt = askedAt + (connection.isLive ? REST.live : REST.polling);
      if (!connection.isLive) socket?.reopen();
      connection.answered();
    } catch (error) {
      console.info("tasks: not read", error);
      askAt = Date.now() + RETRY_AFTER;
      connection.answered(error);
    } finally {
      busy = false;
    }
    if (again) { again = false; void ask(); }
  }
  function learn({ now, tasks, cards = [] }) {
    clock.learn(now);
    for (const task of tasks) rows.get(task.name)?.learn(task);
    for (const card of cards) showCard(card);
    if (tasks.length !== rows.size || tasks.some(({ name }) => !rows.has(name))) {
      say(section.querySelector("#tasks-answer"), "There are other tasks than before. Load this page again to see them.");
    }
  }
  function hear(message) {
    const row = rows.get(message.task);
    if (message.type === "resync") void ask();
    else if (message.type === "progress") row?.learnProgress(message);
    else if (row) hearRun(row, message);
    onMessage(message);
  }
  function hearRun(row, run) {
    const wasFailing = row.isFailing;
    const news = row.learnRun(run);
    if (news) announce(news);
    // How many fail is said elsewhere on the page, too; but one that keeps changing is not to keep the server busy.
    if (row.isFailing !== wasFailing) askAt = Math.min(askAt, askedAt + RETRY_AFTER);
  }
  function turn(state) {
    if (!connection.turn(state)) return;
    void ask(); // what was missed; or whether the server is there at all
    if (connection.isLive && isBack) onMessage({ type: "resync" });
    isBack = true;
  }
  const socket = address ? openSocket(address, { onMessage: hear, onState: turn }) : null;
  followActions(section, { onDone: () => void ask() });
  void ask();

  return {
    tick() {
      let due = false;
      for (const row of rows.values()) due = row.show(clock.now()) || (!connection.isLive && row.isUnderWay) || due;
      if (connection.isRefused) return;
      const quietAt = connection.isLive ? Math.max(socket.heard(), askedAt) + QUIET : Infinity;
      if (Date.now() >= Math.min(askAt, quietAt, due ? askedAt + RETRY_AFTER : Infinity)) void ask();
    },
    wake() {
      socket?.reopen();
      void ask();
    },
  };
}

function showCard({ key, state, word, detail }) {
  const card = document.querySelector(`.card[data-card="${key}"]`);
  if (!card) return;
  card.dataset.state = state;
  say(card.querySelector(".word"), word);
  say(card.querySelector(".detail"), detail);
}
