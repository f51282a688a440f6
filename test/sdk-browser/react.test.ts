// The React hooks, rendered by React: on a server, and in Chromium against a real server.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createElement } from "react";
import { useConnectionState, useMessages, useXlvein } from "../../sdk-browser/src/react.ts";
import { push, tokenFor } from "../helpers/client.ts";
import { SECRET, startServer } from "../helpers/server.ts";
import { checkBuilt } from "./built.ts";
import { bundle } from "./bundle.ts";
import { fakeClient } from "./doubles.ts";
import { openBrowserWithCache, startSite, untilConnections } from "./site.ts";

before(checkBuilt);

test("rendered on a server the hooks connect nothing and are idle and empty", async () => {
  const name: string = "react-dom/server";
  const { renderToString } = (await import(name)) as { renderToString(element: unknown): string };
  const { client, sockets, page } = fakeClient();
  const Page = () => createElement("p", null, useXlvein(client), " ", useConnectionState(client), " ", useMessages(client).length);
  assert.equal(renderToString(createElement(Page)).replaceAll("<!-- -->", ""), "<p>idle idle 0</p>");
  assert.equal(sockets.all.length, 0);
  assert.equal(page.listeners, 0);
});

const APP = `
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "@xlvein/browser";
import { useConnectionState, useMessage, useMessages, useRoom, useXlvein } from "@xlvein/browser/react";

const clients = window.tokens.map((token) => createClient({ url: window.server, appKey: "test", token }));
window.clients = clients;
window.heard = [];
window.renders = 0;

function Inbox({ client }) {
  window.renders++;
  const [count, setCount] = useState(0);
  // Always the listener of the latest render: it must see today's count.
  useMessage(client, (message) => {
    window.heard.push(count);
    setCount(count + 1);
  });
  const messages = useMessages(client, { limit: 3 });
  return <p id="inbox">{messages.map((message) => message.data.text).join(",")}</p>;
}

function App() {
  const [index, setIndex] = useState(0);
  window.swap = setIndex;
  const client = clients[index];
  const state = useXlvein(client);
  const room = useRoom(client, "lobby");
  const talk = useMessages(room);
  return <><p id="talk">{talk.map(({ data }) => data.text).join(",")}</p><p id="state">{state}</p><p id="same">{useConnectionState(client)}</p><Inbox client={client} /></>;
}

const root = createRoot(document.body.appendChild(document.createElement("div")));
root.render(<StrictMode><App /></StrictMode>);
window.unmount = () => root.unmount();
window.states = () => clients.map((client) => client.state);
`;

test("in Chromium, under StrictMode, the hooks connect once, follow the state, keep the last messages, change clients and close", async (t) => {
  const server = await startServer(t);
  const site = await startSite(t);
  const globals = { server: server.url, tokens: ["user_1", "user_2"].map((account) => tokenFor(account, SECRET, { rooms: ["lobby"] })) };
  site.pages.set("/app.js", `text/javascript\n${await bundle(t, APP)}`);
  site.pages.set(
    "/",
    `<!doctype html><title>app</title><link rel="icon" href="data:,"><body><script>Object.assign(window, ${JSON.stringify(globals)})</script><script src="/app.js"></script>`,
  );
  const browser = await openBrowserWithCache(t);
  const tab = await browser.newPage();
  const faults: string[] = [];
  tab.on("pageerror", (error) => faults.push(error.message));
  tab.on("console", (line) => line.type() === "error" && faults.push(line.text()));
  await tab.goto(site.url);
  const shows = (id: string, text: string) => tab.waitForFunction(`document.getElementById("${id}").textContent === ${JSON.stringify(text)}`);
  await shows("state", "connected");
  await shows("same", "connected");
  // StrictMode mounts twice: one socket is left.
  await untilConnections(server.url, "user_1", 1);

  for (const text of ["a", "b", "c", "d"]) {
    await push(server.url, ["user_1"], { text });
    await tab.waitForFunction(`document.getElementById("inbox").textContent.endsWith("${text}")`);
  }
  await shows("inbox", "b,c,d");
  assert.deepEqual(await tab.evaluate("heard"), [0, 1, 2, 3]);

  await tab.waitForFunction('clients[0].room("lobby").subscribed');
  await tab.evaluate('clients[0].room("lobby").send({ text: "to the lobby" })');
  await shows("talk", "to the lobby");
  await shows("inbox", "c,d,to the lobby");

  await tab.evaluate("swap(1)");
  await shows("state", "connected");
  await tab.waitForFunction('states().join() === "closed,connected"');
  await tab.waitForFunction('!clients[0].room("lobby").subscribed && clients[1].room("lobby").subscribed');
  await shows("inbox", "");
  await shows("talk", "");
  await push(server.url, ["user_1", "user_2"], { text: "second" });
  await shows("inbox", "second");
  await untilConnections(server.url, "user_1", 0);

  await tab.evaluate("unmount()");
  await tab.waitForFunction('states().join() === "closed,closed"');
  assert.deepEqual(faults, []);
});
