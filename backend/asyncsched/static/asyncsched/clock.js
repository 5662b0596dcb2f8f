// The server's time, and when to look at it.

const WAKE_GAP = 5_000; // ms without a tick: the laptop slept, or the tab was frozen

/** The server's time: this machine's clock may be wrong, and countdowns must not be. */
export const clock = {
  ahead: 0,
  now() { return Date.now() + this.ahead; },
  learn(iso) { this.ahead = Date.parse(iso) - Date.now(); },
};

/**
 * Calls tick() every second, and wake() when the page comes back from sleep, from hiding or from being offline.
 * Neither while it is hidden: browsers then let a second last a minute, which is no sleep to wake from.
 */
export function everySecond({ tick, wake }) {
  let last = Date.now();
  setInterval(() => {
    const gap = Date.now() - last;
    last = Date.now();
    if (document.hidden) return;
    if (gap > WAKE_GAP || gap < 0) wake();
    else tick();
  }, 1_000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) wake(); });
  addEventListener("online", wake);
  addEventListener("pageshow", (event) => { if (event.persisted) wake(); });
}
