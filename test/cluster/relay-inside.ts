// Runs in a test machine: takes connections on a Unix socket, the first line of each names a host and a port, and passes them on.
import { connect, createServer } from "node:net";
import { pipeline } from "node:stream";

const [path = ""] = process.argv.slice(2);

createServer({ allowHalfOpen: true }, (client) => {
  client.on("error", () => {});
  client.once("readable", () => {
    // The line comes in one piece: it is the first thing that the other side writes.
    const first: Buffer = client.read() ?? Buffer.alloc(0);
    const end = first.indexOf("\n");
    const [host = "", port] = first.subarray(0, end).toString().split(" ");
    if (end < first.length - 1) client.unshift(first.subarray(end + 1));
    const server = connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true });
    // A refusal or a reset ends both.
    pipeline(client, server, () => {});
    pipeline(server, client, () => {});
  });
}).listen(path);
