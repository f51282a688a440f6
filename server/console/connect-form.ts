// The upper part of a pane: who connects, with which token, and how that goes.
import type { AppForm } from "./app-form.ts";
import { makeCopy } from "./copy-button.ts";
import { find, showProblem } from "./dom.ts";
import type { PaneStart } from "./fragment.ts";
import type { State } from "./sdk.ts";
import type { Session } from "./session.ts";
import { makeConnectToken, readConnectToken } from "./token.ts";

const states: Readonly<Record<State, { readonly label: string; readonly button: string }>> = {
  idle: { label: "not connected", button: "Connect" },
  connecting: { label: "connecting", button: "Stop" },
  connected: { label: "connected", button: "Disconnect" },
  disconnected: { label: "retrying", button: "Stop" },
  closed: { label: "disconnected", button: "Connect" },
};

export interface ConnectForm {
  readonly account: string;
  /** The token in the field, pasted or made; "" when there is none. */
  readonly token: string;
  /** Connects with the token in the field or one made from the secret; a fault is shown, not thrown. */
  connect(): Promise<void>;
  showState(state: State): void;
  showProblem(sentence: string | undefined): void;
}

/** `open` starts a connection with a token that looks right; `changed` is called when account or token are others. */
export function createConnectForm(form: HTMLFormElement, server: string, app: AppForm, session: Session, start: PaneStart, changed: () => void): ConnectForm {
  const account = find(form, "[name=account]", HTMLInputElement);
  const token = find(form, "[name=token]", HTMLTextAreaElement);
  const about = find(form, ".token-about", HTMLElement);
  const badge = find(form, ".state", HTMLElement);
  const toggle = find(form, ".toggle", HTMLButtonElement);
  const problem = find(form, ".problem", HTMLElement);
  /** The token that was made here: it is made again rather than used when it is old. */
  let made = "";

  const say = (sentence: string | undefined) => showProblem(problem, sentence);

  async function makeToken(): Promise<void> {
    if (account.value === "") throw new Error("Name the account to connect as, such as user_1.");
    made = await makeConnectToken(app.secret, account.value, Date.now());
    token.value = made;
    describeToken();
    changed();
  }

  /** Shows what the token says, and takes the account from it. */
  function describeToken(): void {
    about.textContent = "made from the secret when you connect";
    if (token.value.trim() === "") return;
    const facts = readConnectToken(token.value.trim(), Date.now());
    account.value = facts.account;
    const until = facts.expiresAt === undefined ? "without an end" : `until ${new Date(facts.expiresAt * 1000).toLocaleString()}`;
    about.textContent = `for ${facts.account}, ${until}`;
  }

  /** Runs a step; its error's message is what the person sees. */
  async function attempt(step: () => Promise<void> | void): Promise<void> {
    try {
      say(undefined);
      await step();
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
  }

  async function connect(): Promise<void> {
    await attempt(async () => {
      if (app.appKey === "") throw new Error("Give the app key at the top of the page, such as test.");
      if (token.value.trim() === "" || token.value === made) await makeToken();
      describeToken();
      session.open(app.appKey, token.value.trim());
    });
  }

  function showState(state: State): void {
    badge.textContent = states[state].label;
    badge.dataset.state = state;
    toggle.textContent = states[state].button;
    toggle.classList.toggle("primary", states[state].button === "Connect");
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (session.state === "idle" || session.state === "closed") void connect();
    else session.close();
  });
  account.addEventListener("input", () => {
    // A token names its account: another account needs another token.
    token.value = "";
    void attempt(describeToken);
    changed();
  });
  token.addEventListener("input", () => {
    void attempt(describeToken);
    changed();
  });
  find(form, ".make-token", HTMLButtonElement).addEventListener("click", () => attempt(makeToken));
  makeCopy(find(form, ".copy-url", HTMLButtonElement), find(form, ".result", HTMLOutputElement), () => {
    if (token.value.trim() === "") throw new Error("Make or paste a token first.");
    return `${server.replace(/^http/, "ws")}/ws/connect?${new URLSearchParams({ app_id: app.appKey, token: token.value.trim() })}`;
  });

  account.value = start.account;
  token.value = start.token;
  void attempt(describeToken);
  showState("idle");
  return {
    get account() {
      return account.value;
    },
    get token() {
      return token.value.trim();
    },
    connect,
    showState,
    showProblem: say,
  };
}
