// A part of a page is fetched anew and put in its place, without taking focus or reading place from anybody.

const MOST_HEARD = 500; // a page in the background hears for days what it does not show

/** The server wants somebody to sign in, or does not allow it: asking again is of no use. */
export class Refused extends Error {}

/** When to fetch: a while after there is news, and now and then without; ever more seldom while that fails. Times in ms. */
export class Rhythm {
  #heard = new Map(); // the latest news of each run; what is told of at once is in the database a little later
  #failures = 0;
  #endedAt = Date.now();
  #isOver = false;

  constructor({ every, soonest, writtenAfter }) { Object.assign(this, { every, soonest, writtenAfter }); }

  hear(run = "") { if (this.#heard.has(run) || this.#heard.size < MOST_HEARD) this.#heard.set(run, Date.now()); }
  forget(run) { this.#heard.delete(run); }

  /** True if it is time to fetch. */
  get isDue() {
    if (this.#isOver) return false;
    const since = Date.now() - this.#endedAt;
    if (since < this.soonest) return false;
    const isNews = Date.now() - Math.min(...this.#heard.values()) >= this.writtenAfter;
    return isNews || since >= (this.#failures ? Math.min(this.every, this.soonest * 2 ** this.#failures) : this.every);
  }

  /** To be called when fetching begins. */
  begin() { this.#heard.clear(); }

  /** To be called when it has ended; `error` if it failed. */
  end(error = null) {
    this.#endedAt = Date.now();
    this.#failures = error ? this.#failures + 1 : 0;
    this.#isOver = error instanceof Refused;
  }
}

/** Asks for `url` and returns the answer, if it is a good one. Throws Refused, or another Error. */
export async function ask(url, type) {
  const response = await fetch(url, { headers: { accept: type }, redirect: "manual", signal: AbortSignal.timeout(10_000) });
  if (response.type === "opaqueredirect" || response.status === 403) throw new Refused(`${url}: refused`);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

/** Fetches `url` and returns the element called `id` in it. Throws Refused, or another Error. */
export async function fetchPart(url, id) {
  const response = await ask(url, "text/html");
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById(id);
  if (!fresh) throw new Error(`${url}: no ${id}`);
  return fresh;
}

/** Puts what is in `fresh` into `old`, and its attributes; focus, scrolled places and what is unfolded stay. */
export function renew(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const places = scrollers(old).map((element) => [element.scrollLeft, element.scrollTop]);
  const unfolded = [...old.querySelectorAll("details")].map((element) => element.open);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
  old.replaceChildren(...fresh.childNodes);
  scrollers(old).forEach((element, n) => { [element.scrollLeft, element.scrollTop] = places[n] ?? [0, 0]; });
  old.querySelectorAll("details").forEach((element, n) => { element.open = unfolded[n] ?? false; });
  if (focused) alike(focused, old)?.focus({ preventScroll: true });
}

/** True while people mark a text in `element`: that would be lost. */
export function isSelected(element) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(element, true);
}

function scrollers(element) {
  return [...element.querySelectorAll(".scroller, pre")];
}

function alike(element, within) {
  const key = ({ id, tagName, formAction, href }) => [tagName, id, formAction, href?.baseVal ?? href].join(" ");
  return [...within.querySelectorAll(element.tagName)].find((other) => key(other) === key(element));
}
