// The page's form for a push: what a backend would send.
import { push } from "./api.ts";
import type { AppForm } from "./app-form.ts";
import { find, showProblem } from "./dom.ts";
import { objectFault } from "./json-text.ts";

export interface PushForm {
  /** One for each line that is not empty. */
  readonly accounts: readonly string[];
  /** A JSON object as text: the last one that was typed without a fault. */
  readonly data: string;
  /** Proposes whom to push to; what somebody has typed stays. */
  suggest(accounts: readonly string[]): void;
  onChange(listener: () => void): void;
}

const FIRST_DATA = '{"text":"hello from the backend"}';

/** Ctrl or Cmd with Enter pushes from either field, too. */
export function createPushForm(form: HTMLFormElement, server: string, app: AppForm): PushForm {
  const accounts = find(form, "[name=accounts]", HTMLTextAreaElement);
  const data = find(form, "[name=data]", HTMLTextAreaElement);
  const problem = find(form, ".problem", HTMLElement);
  const result = find(form, ".result", HTMLOutputElement);
  let accountsTyped = false;
  let goodData = FIRST_DATA;
  let changed = () => {};
  data.value = FIRST_DATA;

  const list = () => accounts.value.split("\n").filter((line) => line !== "");

  const appFault = () => (app.appKey === "" ? "Give the app key at the top of the page, such as test." : undefined);

  async function submit(): Promise<void> {
    const nobody = list().length === 0;
    const fault = nobody ? "Name at least one account, such as user_1." : (objectFault(data.value) ?? appFault());
    showProblem(problem, fault, nobody ? accounts : data);
    result.value = "";
    if (fault !== undefined) return;
    const startedMs = performance.now();
    try {
      const msgId = await push({ server, appKey: app.appKey, secret: app.secret }, list(), data.value);
      result.value = `Accepted in ${Math.round(performance.now() - startedMs)} ms as ${msgId}.`;
    } catch (error) {
      showProblem(problem, error instanceof Error ? error.message : String(error));
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("input", ({ target }) => {
    if (target === accounts) accountsTyped = true;
    if (objectFault(data.value) === undefined) goodData = data.value.trim();
    for (const control of [accounts, data]) control.removeAttribute("aria-invalid");
    changed();
  });

  return {
    get accounts() {
      return list();
    },
    get data() {
      return goodData;
    },
    suggest(proposed) {
      if (!accountsTyped) accounts.value = proposed.join("\n");
    },
    onChange: (listener) => {
      changed = listener;
    },
  };
}
