// One task in the table: what is known of it, and how that is shown. task_row.html writes the same.

import { clock } from "./clock.js";
import { sparkLine, withBar } from "./spark.js";
import { ago, element, moment, say, took, until, word } from "./words.js";

const COUNTED_FROM = 10_000; // ms: a countdown of two seconds is no news
const RUNNING_SHOWN_AFTER = 800; // ms: shorter runs would only flicker
const BEGUN_WITHIN = 10_000; // ms in which a run that was asked for begins, if any process runs the scheduler
const MINUTE = 60_000;
const FAILURES = new Set(["failed", "timed_out", "abandoned"]);

export class Row {
  /** `runUrl` is the address of a run's page, with noughts for its id; empty for who may not see it. */
  constructor(row, { zone, runUrl }) {
    this.cells = Object.fromEntries([...row.querySelectorAll("[data-cell]")].map((cell) => [cell.dataset.cell, cell]));
    this.period = Number(row.dataset.period || 0) * 1000;
    this.kept = row.dataset.kept;
    this.zone = zone;
    this.runUrl = runUrl;
    this.task = null;
    this.progress = null;
    this.shown = {};
  }

  /** Takes in what the server knows of the task. */
  learn(task) {
    const { last_run: shown, spark } = this.task ?? {};
    this.task = task;
    const [heardOf, known] = [shown, task.last_run].map((run) => run ? Date.parse(run.started_at) : -Infinity);
    // A run heard of a moment ago may not be in the database yet; and of one that shares a row, messages tell more.
    if (heardOf > known) Object.assign(task, { last_run: shown, spark });
    else if (shown && heardOf === known && !task.last_run.id) task.last_run = shown;
    this.settle(task.last_run);
    this.show(clock.now());
  }

  /** Takes in a run that started or finished; returns a sentence if people should hear of it. */
  learnRun(run) {
    if (!this.task) return null;
    this.settle(run);
    const before = this.task.last_run;
    if (before && Date.parse(before.started_at) > Date.parse(run.started_at)) return null;
    const failed = FAILURES.has(run.status);
    const news = failed && !this.task.consecutive_failures ? `${run.task} has ${word(run.status)}` : null;
    this.task.last_run = run;
    if (run.status === "running") {
      this.previous = before;
    } else {
      this.progress = null;
      this.addBar(run, failed);
      if ("consecutive_failures" in run) this.task.consecutive_failures = run.consecutive_failures;
    }
    this.show(clock.now());
    return news;
  }

  /** Takes in how far the run is that goes on. */
  learnProgress(progress) {
    this.progress = progress;
    this.show(clock.now());
  }

  /** A run by hand is what somebody has asked for. */
  settle(run) {
    if (run?.trigger === "manual" && Date.parse(run.scheduled_for) >= Date.parse(this.task.asked_at)) this.task.asked_at = null;
  }

  get isFailing() { return Boolean(this.task?.consecutive_failures); }

  /** True while people wait for something: a run that was asked for, or one that goes on. */
  get isUnderWay() { return Boolean(this.task?.asked_at) || this.task?.last_run?.status === "running"; }

  addBar(run, failed) {
    if (run.duration_s == null || run.status === "skipped") return;
    const minute = Math.floor(Date.parse(run.scheduled_for) / MINUTE);
    // Where runs that went well share a row a minute, they share a bar.
    const shared = !failed && this.kept !== "all" && this.sharedMinute === minute && this.task.spark.length;
    const [bars, last] = shared ? [this.task.spark.slice(0, -1), this.task.spark.at(-1)[0]] : [this.task.spark, 0];
    this.task.spark = withBar(bars, [Math.max(run.duration_s, last), failed ? 1 : 0]);
    this.sharedMinute = failed ? null : minute;
  }

  /** Brings the row up to `now`; returns true if the server has to be asked for the next run. */
  show(now) {
    if (!this.task) return false;
    this.showLast(now);
    this.showRecent();
    this.showActs();
    const due = this.showNext(now);
    this.showAsked(now);
    return due;
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
      const text = moment(next, this.zone, Boolean(this.period) && this.period < MINUTE);
      cell.replaceChildren(element("time", { dateTime: task.next_run, textContent: text }), element("span", { className: "relative" }));
    });
    say(this.cells.next.querySelector(".relative"), until(next - now));
    return next <= now;
  }

  /** Says that somebody wants a run; as the last thing in its cell, which may have been drawn anew. */
  showAsked(now) {
    const { asked_at: askedAt, last_run: run } = this.task;
    const cell = this.cells.next;
    let text = askedAt && "asked to run now";
    if (askedAt && run?.status === "running") text = "asked to run again";
    else if (askedAt && now - Date.parse(askedAt) > BEGUN_WITHIN) text = "asked to run, but nothing has begun it: no process runs the scheduler";
    const asked = cell.querySelector(".asked");
    if (!text) asked?.remove();
    else if (asked) say(asked, text);
    else cell.append(element("span", { className: "asked", textContent: text }));
  }

  showLast(now) {
    let run = this.task.last_run;
    if (run?.status === "running" && run.trigger !== "manual" && now - Date.parse(run.started_at) < RUNNING_SHOWN_AFTER) run = this.previous ?? run;
    if (!run) return this.once("last", "never", (cell) => cell.replaceChildren(badge("not yet")));
    const address = this.addressOf(run);
    this.once("last", `${run.status} ${address} ${run.error ?? ""}`, (cell) => {
      const error = run.error && this.runUrl && element("span", { className: "error", textContent: run.error });
      const measured = element("span", { className: "measured" });
      cell.replaceChildren(...[badge(word(run.status), run.status, address), " ", element("time", { className: "relative" }), measured, error].filter(Boolean));
    });
    const when = this.cells.last.querySelector(".relative");
    if (when.dateTime !== run.started_at) {
      when.dateTime = run.started_at;
      when.title = moment(Date.parse(run.started_at), this.zone, true);
    }
    say(when, ago(now - Date.parse(run.started_at)));
    const measured = this.cells.last.querySelector(".measured");
    if (run.status === "running") this.showProgress(measured, run);
    else say(measured, measuredOf(run));
  }

  showProgress(place, run) {
    const { done, total } = (this.progress?.id === run.id && this.progress) || {};
    if (done == null) return say(place, "");
    if (!place.firstElementChild) place.replaceChildren(element("progress", { ariaLabel: `Progress of ${this.task.name}` }), element("span", {}));
    const [bar, text] = place.children;
    if (total) Object.assign(bar, { max: total, value: Math.min(done, total) });
    else bar.removeAttribute("value");
    say(text, total ? `${done.toLocaleString("en")} of ${total.toLocaleString("en")}` : `${done.toLocaleString("en")} so far`);
  }

  showRecent() {
    const { consecutive_failures: failures, alerted_at: alerted, spark } = this.task;
    this.once("recent", JSON.stringify([failures, Boolean(alerted), spark]), (cell) => {
      cell.replaceChildren(...[
        spark.length && sparkLine(spark),
        failures && badge(failures === 1 ? "1 failure" : `${failures} in a row`, "failed"),
        alerted && badge("overdue", "failed"),
      ].filter(Boolean));
    });
  }

  showActs() {
    const { paused, enabled } = this.task;
    if (!this.cells.acts) return;
    this.once("acts", `${paused} ${enabled}`, (cell) => {
      const [pause, resume] = ["pause", "resume"].map((verb) => cell.querySelector(`[data-verb=${verb}]`));
      const wasHere = [pause, resume].includes(document.activeElement);
      pause.hidden = paused || !enabled;
      resume.hidden = !paused;
      if (wasHere) [pause, resume].find((button) => !button.hidden)?.focus(); // not to be lost with the button
    });
  }

  /** The page of a run, "" if it has none or the reader may not see it. */
  addressOf({ id, status }) {
    const has = this.kept === "all" || (this.kept === "failures" && FAILURES.has(status));
    if (!id || !this.runUrl || !has) return "";
    return this.runUrl.replace("00000000-0000-0000-0000-000000000000", id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"));
  }

  /** Draws a cell anew only if what it shows has changed. */
  once(name, key, draw) {
    if (this.shown[name] === key) return;
    this.shown[name] = key;
    draw(this.cells[name], key);
  }
}

function measuredOf({ status, duration_s: duration, lateness_s: lateness }) {
  if (duration == null || status === "skipped") return "";
  return `took ${took(duration)}${lateness == null ? "" : `, ${took(lateness)} late`}`;
}

function badge(text, status, address) {
  const made = element(address ? "a" : "span", { className: "state", textContent: text });
  if (status) made.dataset.status = status;
  if (address) made.href = address;
  return made;
}
