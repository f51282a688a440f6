// The arguments of `npm run bench`.
import { parseArgs } from "node:util";
import type { Scenario } from "./scenario.ts";

/** What `--protocol` takes. */
export const PROTOCOLS = ["xlvein", "socketio", "pusher", "centrifugo"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface RunOptions {
  readonly kind: "run";
  readonly quick: boolean;
  readonly scenarios: readonly Scenario[];
  /** Whether a goal that is missed fails the run: always in a full run, in a quick one when asked for. */
  readonly goals: boolean;
  /** Whether RESULTS.md is written: after a full run of everything, or when asked for. */
  readonly save: boolean;
}

export interface PeerOptions {
  readonly kind: "peer";
  readonly url: URL;
  readonly protocol: Protocol;
  /** Connections, messages to all of them, and messages a second. */
  readonly sockets: number;
  readonly messages: number;
  readonly rate: number;
  /** With socket.io: what a client emits, and the server sends on to everybody. */
  readonly event: string;
  /** Of the server, when it runs on this machine: its CPU time is told too. */
  readonly pid: number | undefined;
}

/** Throws an error that names what is wrong and what there is instead. */
export function readOptions(args: readonly string[], scenarios: readonly Scenario[]): RunOptions | PeerOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      goals: { type: "boolean", default: false },
      save: { type: "boolean", default: false },
      peer: { type: "string" },
      protocol: { type: "string" },
      sockets: { type: "string" },
      messages: { type: "string" },
      rate: { type: "string" },
      event: { type: "string" },
      pid: { type: "string" },
    },
  });
  if (values.peer === undefined) {
    for (const name of ["protocol", "sockets", "messages", "rate", "event", "pid"] as const)
      if (values[name] !== undefined) throw new Error(`--${name} goes with --peer=URL`);
    const { quick, only, goals, save } = values;
    return {
      kind: "run",
      quick,
      scenarios: only === undefined ? scenarios.filter(({ fullOnly }) => !quick || !fullOnly) : choose(only, scenarios),
      goals: goals || !quick,
      save: save || (!quick && only === undefined),
    };
  }
  if (values.quick || values.only !== undefined || values.goals || values.save) throw new Error("--peer goes without --quick, --only, --goals and --save");
  return {
    kind: "peer",
    url: readUrl(values.peer),
    protocol: readProtocol(values.protocol),
    sockets: readCount("sockets", values.sockets) ?? 1_000,
    messages: readCount("messages", values.messages) ?? 500,
    rate: readCount("rate", values.rate) ?? 50,
    event: values.event ?? "message",
    pid: readCount("pid", values.pid),
  };
}

function choose(only: string, scenarios: readonly Scenario[]): Scenario[] {
  const names = only.split(",");
  const unknown = names.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined) throw new Error(`--only: there is no scenario "${unknown}"; there is ${scenarios.map(({ name }) => name).join(", ")}`);
  return scenarios.filter(({ name }) => names.includes(name));
}

function readProtocol(text: string | undefined): Protocol {
  const found = PROTOCOLS.find((protocol) => protocol === text);
  if (found === undefined) throw new Error(`--peer needs --protocol=${PROTOCOLS.join("|")}${text === undefined ? "" : `, not "${text}"`}`);
  return found;
}

function readUrl(text: string): URL {
  if (!/^(https?|wss?):\/\//.test(text) || !URL.canParse(text)) throw new Error(`--peer: "${text}" is no http, https, ws or wss address`);
  return new URL(text);
}

function readCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error(`--${name}: "${text}" is no whole number from 1 to 9999999`);
  return Number(text);
}
