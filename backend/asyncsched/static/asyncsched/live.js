// The scheduler's own live page.

import { everySecond } from "./clock.js";
import { followConnection } from "./connection.js";
import { followTasks } from "./tasks.js";
import { followTimeline } from "./timeline.js";
import { say } from "./words.js";

const announce = (text) => say(document.getElementById("news"), text);
const timeline = followTimeline(document.getElementById("timeline"));
const tasks = followTasks(document.getElementById("tasks"), {
  announce,
  onState: followConnection(document.getElementById("connection"), { announce }),
  onMessage: timeline.onRun,
});
everySecond({
  tick() { tasks.tick(); timeline.tick(); },
  wake() { tasks.wake(); timeline.wake(); },
});
