// A backend that pushes a message to the accounts named, then says who is connected. Needs @xlvein/node.
// Usage: node push.mjs ACCOUNT [ACCOUNT…]
// Environment: URL, APP_KEY, APP_SECRET (defaults: the sample application of conf.yaml).
import { createXlvein, XlveinError } from "@xlvein/node";

const accounts = process.argv.slice(2);
if (accounts.length === 0) {
  console.error("usage: node push.mjs ACCOUNT [ACCOUNT…]");
  process.exit(2);
}

const { URL: url = "http://127.0.0.1:8090", APP_KEY: appKey = "test", APP_SECRET: appSecret = "j8jasd98efan9sdfj89asjdf" } = process.env;
const xlvein = createXlvein({ url, appKey, appSecret });

try {
  const { msgId } = await xlvein.push({ accounts, data: { text: "hello from a backend", at: new Date().toISOString() } });
  console.log("pushed", msgId);
  for (const account of accounts) {
    const connections = await xlvein.connections(account);
    console.log(`${account}: ${connections.length} connected`);
  }
} catch (error) {
  if (!(error instanceof XlveinError)) throw error;
  console.error(`${error.message}\n${error.remediation}`);
  process.exitCode = 1;
}
