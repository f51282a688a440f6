// The console page: joins its forms, panes and snippets. The only file that builds them.
import { createAppForm } from "./app-form.ts";
import { find, showProblem } from "./dom.ts";
import { type PaneStart, readFragment } from "./fragment.ts";
import { createPane, type Pane } from "./pane.ts";
import { createPushForm } from "./push-form.ts";
import { type CreateClient, loadedSdk } from "./sdk.ts";
import type { SnippetValues } from "./snippets.ts";
import { createSnippetsView } from "./snippets-view.ts";
import { makeApiToken, makeConnectToken } from "./token.ts";

const LETTERS = ["a", "b"] as const;

const problem = find(document, "#page-problem", HTMLElement);
const createClient = loadedSdk();
if (createClient === undefined)
  showProblem(problem, "The browser SDK did not load from /sdk.js. Build the server again (npm run build), then reload this page.");
else startPage(createClient);

function startPage(createClient: CreateClient): void {
  // The page stands at SERVER/console/, whatever path prefix a proxy adds.
  const server = new URL("..", location.href).href.replace(/\/$/, "");
  const start = readFragment(location.hash);
  const panes: Pane[] = [];
  const app = createAppForm(find(document, "#app", HTMLFormElement), start);
  const pushForm = createPushForm(find(document, "#push", HTMLFormElement), server, app);
  const snippets = createSnippetsView(find(document, ".snippets", HTMLElement), { values: snippetValues, secretShown: () => app.secretShown });
  const more = find(document, "#more", HTMLElement);

  function senderOf(account: string): string {
    if (account === "") return "api";
    return panes.find((pane) => pane.account === account)?.letter ?? "other";
  }

  /** Account or token of a pane, the application or the push are others. */
  function changed(): void {
    for (const pane of panes) pane.suggest(panes.find((other) => other !== pane)?.account || pane.account);
    pushForm.suggest(panes.map(({ account }) => account).filter((account) => account !== ""));
    snippets.update();
  }

  function addPane(paneStart: PaneStart): Pane {
    const template = find(document, "#pane-template", HTMLTemplateElement);
    const root = find(template.content.cloneNode(true) as DocumentFragment, ".pane", HTMLElement);
    const letter = LETTERS[panes.length] ?? "b";
    const pane = createPane(root, { letter, start: paneStart, app, server, createClient, senderOf, onChange: changed });
    panes.push(pane);
    find(document, "#panes", HTMLElement).append(root);
    more.hidden = panes.length === LETTERS.length;
    return pane;
  }

  async function snippetValues(): Promise<SnippetValues> {
    const { appKey, secret } = app;
    const now = Date.now();
    const account = panes[0]?.account ?? "";
    const connectToken = panes[0]?.token || (await orNone(makeConnectToken(secret, account, now)));
    const accounts = pushForm.accounts.length > 0 ? pushForm.accounts : ["user_1"];
    return { server, appKey, secret, accounts, data: pushForm.data, apiToken: await orNone(makeApiToken(secret, appKey, now)), connectToken };
  }

  find(document, "#server", HTMLElement).textContent = server.replace(/^https?:\/\//, "");
  find(document, "#add-pane", HTMLButtonElement).addEventListener("click", () => {
    const pane = addPane({ account: "", token: "" });
    changed();
    document.querySelector<HTMLInputElement>(`[data-letter=${pane.letter}] [name=account]`)?.focus();
  });
  find(document, ".skip", HTMLAnchorElement).addEventListener("click", (event) => {
    // Without touching the fragment: it is what fills in the page.
    event.preventDefault();
    find(document, "#panes", HTMLElement).focus();
  });
  // A new link opened in this tab changes the fragment alone.
  addEventListener("hashchange", () => location.reload());
  app.onChange(changed);
  pushForm.onChange(() => snippets.update());

  for (const paneStart of start.panes) addPane(paneStart);
  changed();
  for (const [i, { account, token }] of start.panes.entries()) if (token !== "" || (account !== "" && start.secret !== "")) void panes[i]?.connect();
}

/** "" where no token can be made: the snippets then say what is missing. */
function orNone(token: Promise<string>): Promise<string> {
  return token.catch(() => "");
}
