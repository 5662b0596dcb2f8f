// A part of a page is fetched anew and put in its place, without taking focus or reading place from anybody.

/** What was heard of and is not shown yet: the latest of each run. What is told of at once is in the database a little later. */
export class News {
  #heard = new Map();

  hear(run = "") { this.#heard.set(run, Date.now()); }
  forget(run) { this.#heard.delete(run); }
  clear() { this.#heard.clear(); }

  /** The ms for which the news that has waited longest has done so; below 0 if there is none. */
  get age() { return Date.now() - Math.min(...this.#heard.values()); }
}

/** Fetches `url` and returns the element called `id` in it; throws if there is none. */
export async function fetchPart(url, id) {
  const response = await fetch(url, { headers: { accept: "text/html" }, redirect: "error", signal: AbortSignal.timeout(10_000) });
  const fresh = response.ok && new DOMParser().parseFromString(await response.text(), "text/html").getElementById(id);
  if (!fresh) throw new Error(`${url}: ${response.status}`);
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
