// What the command line takes from this folder, loaded with client-node and only when it is wanted.
export { bootstrap, planBootstrap } from "./bootstrap.ts";
export { createKube } from "./client.ts";
export { connect, ownNamespace } from "./connection.ts";
export { KubeError } from "./kube.ts";
export { createOperator } from "./operator.ts";
