// Whether the page is connected, in words, at the top of it.

import { element, say } from "./words.js";

const WORDS = {
  live: ["ok", "Live"],
  polling: ["ok", "Brought up to date every 30 s"],
  lost: ["wait", "The server does not answer. Trying again …"],
  refused: ["bad"],
};

/** Returns a function that shows "live", "polling", "lost" or "refused" in `place`, and tells when that turns. */
export function followConnection(place, { announce }) {
  let wasLost = false;
  return (state) => {
    const [tone, text] = WORDS[state];
    place.hidden = false;
    place.dataset.state = tone;
    document.body.toggleAttribute("data-stale", state === "lost" || state === "refused");
    if (state === "refused") {
      const link = element("a", { href: location.href, textContent: "Signed out: sign in again" });
      if (!place.querySelector("a")) place.replaceChildren(link);
      return;
    }
    say(place, text);
    if ((state === "lost") !== wasLost) announce(state === "lost" ? "Connection lost" : "Connected again");
    wasLost = state === "lost";
  };
}
