// How the pages say things. storage/sparks.py and web/tasks.py say the same where there is no script.

const WORDS = { timed_out: "timed out", cancelled: "cut off" };

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

/** A status as people read it. */
export function word(status) {
  return WORDS[status] ?? status;
}

/** A length of time, to be read at a glance: "0 ms", "12 ms", "1.3 s", "2 min", "1 h 5 min". */
export function took(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : span(Math.round(seconds), 2);
}

/** "Tue 24 Nov, 03:00 UTC", as the server writes it. */
export function moment(ms, zone, withSeconds = false) {
  const format = formatIn(zone, {
    weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
    second: withSeconds ? "2-digit" : undefined, hourCycle: "h23", timeZoneName: "short",
  });
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const clockTime = [part.hour, part.minute, part.second].filter(Boolean).join(":");
  return `${part.weekday} ${part.day} ${part.month.slice(0, 3)}, ${clockTime} ${part.timeZoneName}`;
}

function formatIn(zone, options) {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
  } catch { // a zone that this browser does not know
    return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
  }
}

/** Makes an element: element("span", { className: "state", textContent: "paused" }). */
export function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
