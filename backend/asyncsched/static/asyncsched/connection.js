// Whether the page is connected, in words, at the top of it.

import { clock } from "./clock.js";
import { Refused } from "./refresh.js";
import { element, moment, say } from "./words.js";

const TONES = { live: "ok", polling: "ok", lost: "wait", refused: "bad" };
const WORDS = { live: "Live", polling: "Brought up to date every 30 s" };

/**
 * How a page is connected, which is told to onState: "live" by its socket; else "polling" or "lost", as the server
 * answers or does not; or "refused", which is final.
 */
export class Connection {
  isLive = false;
  isRefused = false;
  #answers;

  /** `answers` is whether the server does; null if that is not known yet. */
  constructor(onState, answers = null) {
    this.onState = onState;
    this.#answers = answers;
  }

  /** The socket says how it is. Returns true if that is another state than before. */
  turn(state) {
    const turned = this.isLive !== (state === "live");
    this.isLive = state === "live";
    this.isRefused ||= state === "refused";
    this.#tell();
    return turned;
  }

  /** The server has answered, or not, with `error`. */
  answered(error = null) {
    this.#answers = !error;
    if (error) this.isLive = false;
    this.isRefused ||= error instanceof Refused;
    this.#tell();
  }

  #tell() {
    if (this.isRefused) this.onState("refused");
    else if (this.isLive) this.onState("live");
    else if (this.#answers !== null) this.onState(this.#answers ? "polling" : "lost");
  }
}

/** Returns a function that shows "live", "polling", "lost" or "refused" in `place`, and tells when that turns. */
export function followConnection(place, { announce, zone }) {
  let lostAt = null;
  return (state) => {
    place.hidden = false;
    place.dataset.state = TONES[state];
    document.body.toggleAttribute("data-stale", state === "lost" || state === "refused");
    if (state === "refused") {
      const link = element("a", { href: location.href, textContent: "Signed out: sign in again" });
      if (!place.querySelector("a")) place.replaceChildren(link);
      return;
    }
    if ((state === "lost") !== (lostAt !== null)) {
      lostAt = state === "lost" ? clock.now() : null;
      announce(lostAt ? "Connection lost" : "Connected again");
    }
    say(place, WORDS[state] ?? `The server has not answered since ${moment(lostAt, zone, true).split(", ")[1]}. Trying again …`);
  };
}
