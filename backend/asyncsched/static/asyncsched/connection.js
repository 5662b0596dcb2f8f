// Whether the page is connected, in words, at the top of it.

import { clock } from "./clock.js";
import { element, moment, say } from "./words.js";

const TONES = { live: "ok", polling: "ok", lost: "wait", refused: "bad" };
const WORDS = { live: "Live", polling: "Brought up to date every 30 s" };

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
