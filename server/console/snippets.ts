// Lines to paste into a shell or a file, filled with the page's values.
import { messageBody } from "./api.ts";

/** What the snippets are filled with; `data` is a JSON object as text. */
export interface SnippetValues {
  readonly server: string;
  readonly appKey: string;
  readonly secret: string;
  readonly accounts: readonly string[];
  readonly data: string;
  /** A fresh API token, or "" when none can be made. */
  readonly apiToken: string;
  /** The first account's connect token, or "". */
  readonly connectToken: string;
}

export interface Snippet {
  readonly id: "curl" | "classic" | "node" | "browser";
  readonly title: string;
  /** A sentence that stands above it. */
  readonly about: string;
  readonly text: string;
  /** Stands in `text` but is shown as dots until the secret is shown. */
  readonly hide?: string;
}

/** In the order of the tabs. */
export function snippetsOf(values: SnippetValues): readonly Snippet[] {
  return [curl(values), classic(values), node(values), browser(values)];
}

function curl({ server, accounts, data, apiToken }: SnippetValues): Snippet {
  const about =
    apiToken === ""
      ? "Give the app secret at the top to get a token in this line."
      : "Works as it is for three minutes; after that, copy it again for a fresh token.";
  const token = apiToken === "" ? "$XLVEIN_API_TOKEN" : apiToken;
  const text = [
    `curl -sS ${shell(`${server}/api/v1/messages`)}`,
    `  -H "Authorization: Bearer ${token}"`,
    `  -H 'Content-Type: application/json'`,
    `  -d ${shell(messageBody(accounts, data))}`,
  ];
  return { id: "curl", title: "curl", about, text: text.join(" \\\n") };
}

function classic({ server, appKey, accounts, data, apiToken }: SnippetValues): Snippet {
  const about =
    apiToken === ""
      ? 'Through the classic API, to the first account. Without a token it works where the application\'s push_auth has "open".'
      : "The same through the classic API, to the first account. Works as it is for three minutes.";
  const text = [
    `curl -sS ${shell(`${server}/api/v1/im/push`)}`,
    ...(apiToken === "" ? [] : [`  -H "Authorization: Bearer ${apiToken}"`]),
    `  --data-urlencode ${shell(`app_key=${appKey}`)}`,
    `  --data-urlencode ${shell(`send_to=${accounts[0] ?? ""}`)}`,
    `  --data-urlencode ${shell(`message=${data}`)}`,
    // A nonce that was seen before delivers nothing: each run needs its own.
    `  --data-urlencode "nonce=$(date +%s)-$RANDOM"`,
  ];
  return { id: "classic", title: "curl, classic", about, text: text.join(" \\\n") };
}

function node({ server, appKey, secret, accounts, data }: SnippetValues): Snippet {
  const appSecret = secret === "" ? "process.env.APP_SECRET" : JSON.stringify(secret);
  const text = `import { createXlvein } from "@xlvein/node";

const xlvein = createXlvein({
  url: ${JSON.stringify(server)},
  appKey: ${JSON.stringify(appKey)},
  appSecret: ${appSecret},
});
const { msgId } = await xlvein.push({ accounts: ${JSON.stringify(accounts)}, data: ${data} });
console.log(msgId);
`;
  const about = "After npm install @xlvein/node, save as push.mjs and run node push.mjs. Keep the secret out of your repository.";
  return secret === "" ? { id: "node", title: "Node.js", about, text } : { id: "node", title: "Node.js", about, text, hide: secret };
}

function browser({ server, appKey, connectToken }: SnippetValues): Snippet {
  const token = connectToken === "" ? "the account's token" : connectToken;
  const text = `<!doctype html>
<script src="${server}/sdk.js"></script>
<pre id="log"></pre>
<script>
  const client = xlvein.createClient({
    url: ${script(server)},
    appKey: ${script(appKey)},
    token: ${script(token)},
  });
  client.on("message", (message) => log.append(JSON.stringify(message) + "\\n"));
  client.connect();
</script>
`;
  const about = "Save as page.html and open it. In your own application a backend hands out the token.";
  return { id: "browser", title: "Browser", about, text };
}

/** One shell word: in single quotes, unless it is plain. */
function shell(text: string): string {
  return /^[\w:/.@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A JavaScript string inside a script element. */
function script(text: string): string {
  return JSON.stringify(text).replaceAll("<", "\\u003c");
}
