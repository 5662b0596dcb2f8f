// The scheduler's own live page.

import { everySecond } from "./clock.js";
import { followConnection } from "./connection.js";
import { followTasks } from "./tasks.js";
import { followTimeline } from "./timeline.js";
import { say } from "./words.js";

const section = document.getElementById("tasks");
const announce = (text) => say(document.getElementById("news"), text);
const timeline = followTimeline(document.getElementById("timeline"));
const tasks = followTasks(section, {
  announce,
  onState: followConnection(document.getElementById("connection"), { announce, zone: section.dataset.zone }),
  onMessage: timeline.onRun,
});
everySecond({
  tick() { tasks.tick(); timeline.tick(); },
  wake() { tasks.wake(); timeline.wake(); },
});
