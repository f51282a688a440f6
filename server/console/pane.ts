// One account on the page: connects, shows its frames, sends.
import { explainRefusal } from "./api.ts";
import type { AppForm } from "./app-form.ts";
import { createConnectForm } from "./connect-form.ts";
import { find } from "./dom.ts";
import type { PaneStart } from "./fragment.ts";
import { createLogPanel } from "./log-panel.ts";
import type { CreateClient, State } from "./sdk.ts";
import { createSendForm } from "./send-form.ts";
import { createSession } from "./session.ts";

export interface PaneOptions {
  /** `a` or `b`: the colour of what this account sends. */
  readonly letter: string;
  readonly start: PaneStart;
  readonly app: AppForm;
  readonly server: string;
  readonly createClient: CreateClient;
  /** The colour of an account's messages; "" is the API. */
  readonly senderOf: (account: string) => string;
  readonly onChange: () => void;
}

export interface Pane {
  readonly letter: string;
  readonly account: string;
  readonly token: string;
  connect(): Promise<void>;
  /** Proposes whom to send to; what somebody has typed stays. */
  suggest(to: string): void;
}

const words: Readonly<Record<State, string | undefined>> = {
  idle: undefined,
  connecting: undefined,
  connected: "connected",
  disconnected: undefined,
  closed: "disconnected",
};

/** Fills a copy of the pane template. */
export function createPane(root: HTMLElement, options: PaneOptions): Pane {
  const { letter, app, server } = options;
  const name = `Account ${letter.toUpperCase()}`;
  root.dataset.letter = letter;
  nameParts(root, letter, name);
  const log = createLogPanel(root, options.senderOf);
  const note = (text: string, tone: "good" | "plain" | "bad") => log.add({ kind: "note", tone, text, atMs: Date.now() });

  const explain = () => explainRefusal({ server, appKey: app.appKey, secret: app.secret }, form.account);
  const session = createSession(
    { createClient: options.createClient, server, explain },
    {
      state(state, trouble) {
        form.showState(state);
        if (state === "connected") form.showProblem(undefined);
        if (trouble !== undefined) {
          note(trouble, "bad");
          form.showProblem(trouble);
        } else if (words[state] !== undefined) note(words[state], state === "connected" ? "good" : "plain");
      },
      frame: (direction, text) => log.add({ kind: "frame", direction, text, own: letter, atMs: Date.now() }),
      problem: (sentence) => form.showProblem(sentence),
    },
  );
  const form = createConnectForm(find(root, "form.connect", HTMLFormElement), server, app, session, options.start, options.onChange);
  const sendForm = createSendForm(find(root, "form.send", HTMLFormElement), session);

  return {
    letter,
    get account() {
      return form.account;
    },
    get token() {
      return form.token;
    },
    connect: form.connect,
    suggest: (to) => sendForm.suggest(to, `hello from ${form.account === "" ? "me" : form.account}`),
  };
}

/** Names for screen readers, and ids for what refers to each other: a page has two panes. */
function nameParts(root: HTMLElement, letter: string, name: string): void {
  const title = find(root, "h2", HTMLElement);
  title.textContent = name;
  title.id = `pane-${letter}`;
  root.setAttribute("aria-labelledby", title.id);
  find(root, ".log", HTMLElement).setAttribute("aria-label", `Frames of ${name}`);
  for (const kind of ["connect", "send"]) {
    const form = find(root, `form.${kind}`, HTMLFormElement);
    const problem = find(form, ".problem", HTMLElement);
    problem.id = `${kind}-problem-${letter}`;
    form.setAttribute("aria-label", `${name}: ${kind}`);
    for (const control of form.querySelectorAll("input, textarea")) control.setAttribute("aria-describedby", problem.id);
  }
}
