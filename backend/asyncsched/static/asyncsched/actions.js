// Run now, pause and resume, without leaving the page. Where there is no script the same buttons post a form.

import { say } from "./words.js";

/** What is asked before something is done: [question, explanation, button]. What is not here needs no asking. */
const QUESTIONS = {
  run: (task) => [`Run ${task} now?`, "It begins within two seconds, outside its schedule and also if it is paused.", "Run now"],
  pause: (task) => [`Pause ${task}?`, "It does not run until somebody resumes it. A run that goes on is not stopped.", "Pause"],
};

/** Makes the buttons of `section` ask and act. onDone() is called when the server has done it. */
export function followActions(section, { onDone }) {
  const form = section.querySelector("#tasks-act");
  const answer = section.querySelector("#tasks-answer");
  let busy = false;

  async function act(button) {
    const task = button.closest("[data-task]").dataset.task;
    const question = QUESTIONS[button.dataset.verb]?.(task);
    if (question && !(await isConfirmed(section.querySelector("dialog"), question))) return;
    try {
      const response = await fetch(button.formAction, {
        method: "POST",
        headers: { accept: "application/json" },
        body: new URLSearchParams(new FormData(form)),
        redirect: "manual",
        signal: AbortSignal.timeout(15_000),
      });
      tell(await whatOf(response), response.ok);
      if (response.ok) onDone();
    } catch (error) {
      console.info("tasks: not reached", error);
      tell("The server could not be reached. Try again.", false);
    }
  }
  function tell(text, isGood) {
    answer.dataset.state = isGood ? "ok" : "bad";
    say(answer, text);
  }

  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    say(answer, "");
    await act(event.submitter);
    busy = false;
  });
}

/** Opens `dialog` and waits; true if people said yes. The focus goes back to where it was by itself. */
function isConfirmed(dialog, [question, explanation, yes]) {
  say(dialog.querySelector("h3"), question);
  say(dialog.querySelector("p"), explanation);
  say(dialog.querySelector(".primary"), yes);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

async function whatOf(response) {
  if (response.type === "opaqueredirect") return "You are signed out. Load this page again.";
  if (!response.headers.get("content-type")?.startsWith("application/json")) return "That was refused. Load this page again.";
  const { said, error } = await response.json();
  return said ?? error;
}
