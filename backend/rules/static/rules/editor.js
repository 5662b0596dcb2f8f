// The editor of a rule's definition: says while one types what is wrong, and on which line, or what it means.
// Without it the field is a plain text area, and the same is said when the form is saved.

const PAUSE = 400; // milliseconds without a key, before the text is sent to be checked
const INDENT = "  ";

class Editor {
  constructor(root) {
    this.area = root.querySelector("textarea");
    this.answer = root.querySelector(".answer");
    this.words = root.querySelector("[data-words]");
    this.url = root.dataset.check;
    this.leaves = false; // after Escape the Tab key moves on, as elsewhere
    root.querySelector(".tools").hidden = false;
    root.querySelector("[data-tidy]").addEventListener("click", () => this.tidy());
    this.area.addEventListener("input", () => this.checkSoon());
    this.area.addEventListener("keydown", (event) => this.key(event));
    this.area.addEventListener("focus", () => (this.leaves = false));
  }

  key(event) {
    if (event.key === "Escape") this.leaves = true;
    else if (event.key === "Tab" && !event.shiftKey && !this.leaves) {
      event.preventDefault();
      this.replace(INDENT);
    } else if (event.key !== "Shift" && event.key !== "Tab") this.leaves = false;
  }

  // In a way that the browser's undo takes back; there is no other.
  replace(text) {
    if (!document.execCommand("insertText", false, text)) {
      this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
      this.checkSoon();
    }
  }

  checkSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), PAUSE);
  }

  async check() {
    this.request?.abort();
    this.request = new AbortController();
    const text = this.area.value;
    let found = null;
    try {
      found = await this.ask(text, this.request.signal);
    } catch (error) {
      if (error.name === "AbortError") return null;
    }
    this.show(found);
    return found;
  }

  async ask(text, signal) {
    const body = new FormData();
    body.set("definition", text);
    body.set("csrfmiddlewaretoken", this.area.form.elements.csrfmiddlewaretoken.value);
    const response = await fetch(this.url, { method: "POST", body, signal, redirect: "error" });
    return response.ok ? response.json() : null;
  }

  show(found) {
    if (!found) {
      this.answer.textContent = "It could not be checked now; it will be when you save.";
      return;
    }
    this.words.textContent = found.in_words.join("\n");
    this.area.setAttribute("aria-invalid", String(found.mistakes.length > 0));
    this.answer.replaceChildren(...found.mistakes.map((mistake) => this.line(mistake)));
    if (!found.mistakes.length) this.answer.textContent = "Valid.";
  }

  line({ line, place, problem }) {
    const row = document.createElement("div");
    const link = document.createElement("button");
    link.type = "button";
    link.textContent = `Line ${line}`;
    link.addEventListener("click", () => this.select(line));
    const text = document.createElement("span");
    text.className = "wrong";
    text.textContent = ` ${place ? `${place}: ` : ""}${problem}`;
    row.append(link, text);
    return row;
  }

  select(line) {
    const lines = this.area.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((length, one) => length + one.length + 1, 0);
    this.area.focus();
    this.area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    this.area.scrollTop = (this.area.scrollHeight / lines.length) * Math.max(0, line - 4);
  }

  async tidy() {
    const found = await this.check();
    if (!found?.tidy || found.tidy === this.area.value) return;
    this.area.focus();
    this.area.select();
    this.replace(found.tidy);
  }
}

for (const root of document.querySelectorAll(".definition")) new Editor(root);
