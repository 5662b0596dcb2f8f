// The scheduler's own live page.

import { everySecond } from "./clock.js";
import { followConnection } from "./connection.js";
import { followTasks } from "./tasks.js";
import { say } from "./words.js";

const announce = (text) => say(document.getElementById("news"), text);
const tasks = followTasks(document.getElementById("tasks"), {
  announce,
  onState: followConnection(document.getElementById("connection"), { announce }),
});
everySecond({
  tick() { tasks.tick(); },
  wake() { tasks.wake(); },
});
