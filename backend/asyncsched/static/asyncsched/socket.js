// A WebSocket that comes back.

/**
 * onState gets "live", "lost" or "refused" (signed out, or not allowed: final). With `silence`, so many ms
 * without a message count as lost. Returns { check(), reopen(), heard() }; heard() is when the last message came.
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
    heard() { return heard; },
  };
}
