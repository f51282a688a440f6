// The lower part of a pane: a message to another account or to a room, as a client sends it.
import { find, showProblem } from "./dom.ts";
import { objectFault } from "./json-text.ts";
import type { Session } from "./session.ts";

export interface SendForm {
  /** Fills what nobody has typed into yet. */
  suggest(to: string, text: string): void;
}

/** Ctrl or Cmd with Enter sends from the message field, too. */
export function createSendForm(form: HTMLFormElement, session: Session): SendForm {
  const to = find(form, "[name=to]", HTMLInputElement);
  const room = find(form, "[name=room]", HTMLInputElement);
  const data = find(form, "[name=data]", HTMLTextAreaElement);
  const problem = find(form, ".problem", HTMLElement);
  const typed = new Set<EventTarget | null>();

  async function send(): Promise<void> {
    const nobody = to.value === "" && room.value === "";
    const fault = nobody ? "Name the account to send to, such as user_2, or a room." : objectFault(data.value);
    showProblem(problem, fault, nobody ? to : data);
    if (fault !== undefined) return;
    if (session.state !== "connected") return showProblem(problem, "This account is not connected. Press Connect above, then send again.");
    try {
      const body = JSON.parse(data.value) as object;
      if (room.value === "") await session.send(to.value, body);
      else await session.sendToRoom(room.value, body);
    } catch (error) {
      showProblem(problem, `Not sent: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
  form.addEventListener("input", ({ target }) => {
    typed.add(target);
    for (const control of [to, room, data]) control.removeAttribute("aria-invalid");
  });
  data.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });

  return {
    suggest(account, text) {
      if (!typed.has(to)) to.value = account;
      if (!typed.has(data)) data.value = JSON.stringify({ text });
    },
  };
}
