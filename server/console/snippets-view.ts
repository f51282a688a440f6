// The tabs with lines to copy; the tokens in them are kept fresh, because copying cannot wait for one.
import { makeCopy } from "./copy-button.ts";
import { find, make } from "./dom.ts";
import { type Snippet, type SnippetValues, snippetsOf } from "./snippets.ts";

/** How often the API token is made again, ms: a copied one lasts at least 3 of its 4 minutes. */
const RENEW_MS = 60_000;

export interface SnippetsView {
  /** The page's values are others: shows them as soon as a token for them is made. */
  update(): void;
}

export interface SnippetsOptions {
  /** The page's values now; rejects never. */
  readonly values: () => Promise<SnippetValues>;
  /** Whether what is secret may be shown. */
  readonly secretShown: () => boolean;
}

/** Fills the tab list in `section`: arrow keys, Home and End move between tabs (WAI-ARIA, tabs with automatic activation). */
export function createSnippetsView(section: HTMLElement, { values, secretShown }: SnippetsOptions): SnippetsView {
  const tabList = find(section, "[role=tablist]", HTMLElement);
  const panel = find(section, "[role=tabpanel]", HTMLElement);
  const about = find(section, "#snippet-about", HTMLElement);
  const text = find(section, "#snippet-text", HTMLElement);
  let snippets: readonly Snippet[] = [];
  let chosen = 0;
  let newest = 0;

  function choose(index: number): void {
    chosen = (index + snippets.length) % snippets.length;
    draw();
  }

  function draw(): void {
    const snippet = snippets[chosen];
    if (snippet === undefined) return;
    if (tabList.childElementCount === 0) tabList.append(...snippets.map(({ id, title }, i) => makeTab(id, title, () => choose(i))));
    for (const [i, tab] of [...tabList.querySelectorAll("button")].entries()) {
      tab.setAttribute("aria-selected", String(i === chosen));
      tab.tabIndex = i === chosen ? 0 : -1;
    }
    panel.setAttribute("aria-labelledby", `snippet-tab-${snippet.id}`);
    about.textContent = snippet.about;
    text.textContent = snippet.hide === undefined || secretShown() ? snippet.text : snippet.text.replace(JSON.stringify(snippet.hide), '"••••••••"');
  }

  async function update(): Promise<void> {
    newest += 1;
    const mine = newest;
    const fresh = snippetsOf(await values());
    // A slower answer to an older question is dropped.
    if (mine !== newest) return;
    snippets = fresh;
    draw();
  }

  tabList.addEventListener("keydown", (event) => {
    const target = { ArrowRight: chosen + 1, ArrowLeft: chosen - 1, Home: 0, End: snippets.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    choose(target);
    tabList.querySelectorAll("button")[chosen]?.focus();
  });
  makeCopy(find(section, "#snippet-copy", HTMLButtonElement), find(section, "#snippet-result", HTMLOutputElement), () => snippets[chosen]?.text ?? "");
  setInterval(() => void update(), RENEW_MS);
  return { update: () => void update() };
}

function makeTab(id: string, title: string, choose: () => void): HTMLButtonElement {
  const tab = make("button", "tab", title);
  tab.type = "button";
  tab.id = `snippet-tab-${id}`;
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", "snippet-panel");
  tab.addEventListener("click", choose);
  return tab;
}
