// The URL fragment that fills in the page: what `xlvein dev` prints, and what a bookmark may hold.
//
//   /console#app=test&account=user_1&token=JWT&secret=SECRET            one pane
//   /console#app=test&a=user_1&ta=JWT&b=user_2&tb=JWT&secret=SECRET     two panes side by side
//
// Every part is optional and percent-encoded. `account`/`token` are other names of `a`/`ta`. A pane that has a token, or an
// account and a secret to make one from, connects at once. Browsers never send a fragment to a server, but they keep it in their
// history: put a secret into a link only for an application on your own machine.

/** What one pane starts with; an empty text is "not given". */
export interface PaneStart {
  readonly account: string;
  readonly token: string;
}

/** What the page starts with. */
export interface PageStart {
  readonly appKey: string;
  readonly secret: string;
  /** One or two; two empty ones when the fragment names nobody. */
  readonly panes: readonly PaneStart[];
}

/** Reads `location.hash` (with or without its `#`); unknown parts are ignored. */
export function readFragment(hash: string): PageStart {
  const part = partsOf(hash);
  const first = { account: part("a") || part("account"), token: part("ta") || part("token") };
  const second = { account: part("b"), token: part("tb") };
  const panes = [first, second].filter(({ account, token }) => account !== "" || token !== "");
  return { appKey: part("app"), secret: part("secret"), panes: panes.length > 0 ? panes : [first, second] };
}

/** Not URLSearchParams: it would turn the `+` of a secret into a space. */
function partsOf(hash: string): (name: string) => string {
  const pairs = hash
    .replace(/^#/, "")
    .split("&")
    .map((pair) => pair.split("="));
  const parts = new Map(pairs.map(([name = "", ...value]) => [name, decode(value.join("="))]));
  return (name) => parts.get(name) ?? "";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
