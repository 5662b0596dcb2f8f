// Keeps the table of tasks current: rows from the server's JSON, runs over a WebSocket, and a clock.
// A project's page imports followTasks(); openSocket() and the clock serve its own sockets as well.

const WAKE_GAP = 5_000; // ms without a tick: the laptop slept, or the tab was frozen
const RESYNC_EVERY = { runs: 120_000, polling: 30_000 };
const RETRY_AFTER = 4_000; // ms between two questions to the server
const COUNTED_FROM = 10_000; // ms: a countdown of two seconds is no news
const RUNNING_SHOWN_AFTER = 800; // ms: shorter runs would only flicker
const WORDS = { timed_out: "timed out", cancelled: "cut off" }; // as in web/tasks.py
const FAILURES = new Set(["failed", "timed_out", "abandoned"]);

/** The server's time: this machine's clock may be wrong, and countdowns must not be. */
export const clock = {
  ahead: 0,
  now() { return Date.now() + this.ahead; },
  learn(iso) { this.ahead = Date.parse(iso) - Date.now(); },
};

/** Calls tick() every second, and wake() when the page comes back from sleep, from hiding or from being offline. */
export function everySecond({ tick, wake }) {
  let last = Date.now();
  setInterval(() => {
    const gap = Date.now() - last;
    last = Date.now();
    if (gap > WAKE_GAP || gap < 0) wake();
    else if (!document.hidden) tick();
  }, 1_000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) wake(); });
  addEventListener("online", wake);
  addEventListener("pageshow", (event) => { if (event.persisted) wake(); });
}

/**
 * A WebSocket that comes back. onState gets "live", "lost" or "refused" (signed out, or not allowed: final).
 * With `silence`, so many ms without a message count as lost. Returns { check(), reopen() }.
 */
export function openSocket(path, { onMessage, onState = () => {}, silence = Infinity }) {
  let socket, timer, failures = 0, heard = 0, refused = false;

  function open() {
    clearTimeout(timer);
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    socket?.close();
    heard = Date.now();
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(url);
    socket.onopen = () => { heard = Date.now(); if (silence === Infinity) settle(); };
    socket.onmessage = ({ data }) => { heard = Date.now(); settle(); onMessage(JSON.parse(data)); };
    socket.onclose = ({ code }) => {
      refused = code === 4401 || code === 4403;
      onState(refused ? "refused" : "lost");
      if (!refused) timer = setTimeout(open, delay());
    };
  }
  function settle() { failures = 0; onState("live"); }
  function delay() { return Math.min(15_000, 500 * 2 ** failures++) * (0.5 + Math.random() / 2); }

  open();
  return {
    check() {
      if (refused || Date.now() - heard <= silence) return;
      onState("lost");
      open();
    },
    reopen() { if (!refused) { failures = 0; open(); } },
  };
}

/** Writes text only where it differs, so that neither selections nor screen readers are disturbed. */
export function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

export function ago(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 10) return "just now";
  if (s < 60) return `${Math.floor(s / 10) * 10} s ago`;
  return `${span(s, 1)} ago`;
}

export function until(ms) {
  const s = Math.ceil(ms / 1000);
  return s <= 0 ? "now" : `in ${span(s, 2)}`;
}

function span(seconds, parts) {
  const units = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
  const words = [];
  for (const [unit, size] of units) {
    const count = Math.floor(seconds / size);
    if (count) words.push(`${count} ${unit}`);
    else if (words.length) break;
    seconds %= size;
    if (words.length === parts) break;
  }
  return words.join(" ");
}

/** Keeps the table in `section` current. Returns { tick(), wake() } for everySecond(). */
export function followTasks(section, { announce = () => {} } = {}) {
  const rows = new Map([...section.querySelectorAll("tr[data-task]")].map((row) => [row.dataset.task, new Row(row, section.dataset.zone)]));
  const url = section.dataset.url;
  const rest = section.dataset.socket ? RESYNC_EVERY.runs : RESYNC_EVERY.polling;
  let askedAt = 0, resyncAt = 0, busy = false;

  async function resync() {
    if (busy) return;
    busy = true;
    askedAt = Date.now();
    resyncAt = askedAt + rest;
    try {
      const response = await fetch(url, { headers: { accept: "application/json" }, redirect: "error", signal: AbortSignal.timeout(10_000) });
      if (!response.ok) throw new Error(`${url}: ${response.status}`);
      const { now, tasks } = await response.json();
      clock.learn(now);
      for (const task of tasks) rows.get(task.name)?.learn(task);
    } catch (error) {
      console.info("tasks: trying again soon", error);
      askedAt = Date.now();
      resyncAt = askedAt + RETRY_AFTER;
    } finally {
      busy = false;
    }
  }
  function onRun(run) {
    const news = rows.get(run.task)?.learnRun(run);
    if (news) announce(news);
  }
  const socket = section.dataset.socket && openSocket(section.dataset.socket, {
    onMessage: onRun,
    onState: (state) => { if (state === "live" && !section.hasAttribute("data-live")) void resync(); section.toggleAttribute("data-live", state === "live"); },
  });
  void resync();

  return {
    tick() {
      let due = false;
      for (const row of rows.values()) due = row.show(clock.now()) || due;
      if (Date.now() >= Math.min(resyncAt, due ? askedAt + RETRY_AFTER : Infinity)) void resync();
    },
    wake() { if (socket) socket.reopen(); void resync(); },
  };
}

class Row {
  constructor(element, zone) {
    this.cells = Object.fromEntries([...element.querySelectorAll("[data-cell]")].map((cell) => [cell.dataset.cell, cell]));
    this.period = Number(element.dataset.period || 0) * 1000;
    this.zone = zone;
    this.task = null;
    this.shown = {};
  }

  learn(task) {
    const shown = this.task?.last_run;
    this.task = task;
    // A run heard of a moment ago may not be in the database yet.
    if (shown && !(task.last_run && Date.parse(task.last_run.started_at) >= Date.parse(shown.started_at))) this.task.last_run = shown;
    this.show(clock.now());
  }

  /** Takes in a run that started or finished; returns a sentence if people should hear of it. */
  learnRun(run) {
    const before = this.task?.last_run;
    if (!this.task || (before && Date.parse(before.started_at) > Date.parse(run.started_at))) return null;
    const failed = FAILURES.has(run.status);
    const news = failed && !this.task.consecutive_failures ? `${run.task} has ${word(run.status)}` : null;
    this.task.last_run = run;
    if (run.status === "running") this.previous = before;
    else if ("consecutive_failures" in run) this.task.consecutive_failures = run.consecutive_failures;
    this.show(clock.now());
    return news;
  }

  /** Brings the row up to `now`; returns true if the server has to be asked for the next run. */
  show(now) {
    if (!this.task) return false;
    const { task } = this;
    this.showLast(now);
    this.once("failures", String(task.consecutive_failures), (cell) => {
      cell.replaceChildren(task.consecutive_failures ? badge(`${task.consecutive_failures} in a row`, "failed") : "none");
    });
    return this.showNext(now);
  }

  showNext(now) {
    const { task } = this;
    if (task.paused || !task.enabled || !task.next_run) {
      this.once("next", task.paused ? "paused" : "disabled", (cell, text) => cell.replaceChildren(badge(text)));
      return false;
    }
    if (this.period && this.period < COUNTED_FROM) {
      this.once("next", `within ${this.period / 1000} s`, say);
      return false;
    }
    let next = Date.parse(task.next_run);
    if (this.period && next <= now) {
      next += Math.ceil((now - next + 1) / this.period) * this.period;
      task.next_run = new Date(next).toISOString();
    }
    this.once("next", task.next_run, (cell) => {
      cell.replaceChildren(time(task.next_run, moment(next, this.zone, Boolean(this.period) && this.period < 60_000)), relative("span"));
    });
    say(this.cells.next.querySelector(".relative"), until(next - now));
    return next <= now;
  }

  showLast(now) {
    let run = this.task.last_run;
    if (run?.status === "running" && now - Date.parse(run.started_at) < RUNNING_SHOWN_AFTER) run = this.previous ?? run;
    if (!run) return this.once("last", "never", (cell) => cell.replaceChildren(badge("not yet")));
    this.once("last", `${run.status} ${run.error ?? ""}`, (cell) => {
      const error = run.error && Object.assign(document.createElement("span"), { className: "error", textContent: run.error });
      cell.replaceChildren(...[badge(word(run.status), run.status), relative("time"), error].filter(Boolean));
    });
    const when = this.cells.last.querySelector(".relative");
    if (when.dateTime !== run.started_at) {
      when.dateTime = run.started_at;
      when.title = moment(Date.parse(run.started_at), this.zone, true) + (run.duration_s == null ? "" : `, took ${took(run.duration_s)}`);
    }
    say(when, ago(now - Date.parse(run.started_at)));
  }

  /** Draws a cell anew only if what it shows has changed. */
  once(name, key, draw) {
    if (this.shown[name] === key) return;
    this.shown[name] = key;
    draw(this.cells[name], key);
  }
}

function badge(text, status) {
  const element = Object.assign(document.createElement("span"), { className: "state", textContent: text });
  if (status) element.dataset.status = status;
  return element;
}

function relative(tag) {
  return Object.assign(document.createElement(tag), { className: "relative" });
}

function time(iso, text) {
  return Object.assign(document.createElement("time"), { dateTime: iso, textContent: text });
}

function word(status) {
  return WORDS[status] ?? status;
}

function took(seconds) {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

/** "Tue 24 Nov, 03:00 UTC", as the server writes it. */
function moment(ms, zone, withSeconds = false) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
    second: withSeconds ? "2-digit" : undefined, hourCycle: "h23", timeZoneName: "short",
  });
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const clockTime = [part.hour, part.minute, part.second].filter(Boolean).join(":");
  return `${part.weekday} ${part.day} ${part.month}, ${clockTime} ${part.timeZoneName}`;
}
