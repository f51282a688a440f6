// The middle of a pane: the log with its buttons.
import { find } from "./dom.ts";
import { createLogView, type LogView } from "./log-view.ts";

/** `senderOf` gives the colour of a sender: `a`, `b`, `api` or `other`. */
export function createLogPanel(pane: HTMLElement, senderOf: (account: string) => string): LogView {
  const region = find(pane, ".log", HTMLElement);
  const count = find(pane, ".count", HTMLElement);
  const empty = find(pane, ".empty", HTMLElement);
  const pause = find(pane, ".pause", HTMLButtonElement);
  const view = createLogView(find(region, "ol", HTMLOListElement), region, senderOf, ({ frames, entries, waiting }) => {
    count.textContent = frames === 0 ? "" : String(frames);
    empty.hidden = entries > 0;
    if (waiting > 0) pause.textContent = `Resume (${waiting})`;
  });

  onPress(find(pane, ".raw", HTMLButtonElement), (raw) => view.setRaw(raw));
  onPress(pause, (paused) => {
    pause.textContent = paused ? "Resume" : "Pause";
    view.setPaused(paused);
  });
  find(pane, ".clear", HTMLButtonElement).addEventListener("click", () => {
    view.clear();
    region.focus();
  });
  return view;
}

function onPress(button: HTMLButtonElement, change: (pressed: boolean) => void): void {
  button.addEventListener("click", () => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    change(pressed);
  });
}
