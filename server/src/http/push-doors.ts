// The paths that take pushes, as the short road uses them.
import { parseJson } from "./body.ts";
import { classicErrorAnswer } from "./classic-reply.ts";
import type { PushDoor } from "./fast-push.ts";
import type { NameFault } from "./faults.ts";
import { problemAnswer } from "./problem.ts";
import { readBatch, readPush } from "./push-body.ts";
import { setOutcome } from "./push-meter.ts";
import type { PushRequest } from "./push-request.ts";
import { bodyOf, type Spec } from "./spec.ts";
import { compileBodyCheck } from "./validator.ts";

export interface PushDoorsOptions {
  spec: Spec;
  authenticate: (request: PushRequest) => void;
  push: PushDoor["handler"];
  pushMany: PushDoor["handler"];
  classicPush: PushDoor["handler"];
  nameFault: NameFault;
  /** Most arrays and objects inside one another in the data of a message. */
  jsonDepth: number;
}

/** The doors by path; what they take is what the description says of `push`, `pushMany` and `classicPush`. */
export function createPushDoors(options: PushDoorsOptions): ReadonlyMap<string, PushDoor> {
  const { spec, authenticate, push, pushMany, classicPush, nameFault, jsonDepth } = options;
  const doorOf = (operationId: string, door: (path: string) => Omit<PushDoor, "checks">): [string, PushDoor] => {
    const { path, schemas } = bodyOf(spec, operationId);
    const checks = new Map([...schemas].map(([type, schema]) => [type, compileBodyCheck(spec.components, schema)]));
    return [path, { ...door(path), checks }];
  };
  const withToken = (path: string): Pick<PushDoor, "authenticate" | "refuse"> => ({
    authenticate,
    refuse: (cause, { id }) => problemAnswer(nameFault(cause, path, id), id),
  });
  return new Map([
    doorOf("push", (path) => ({ ...withToken(path), readJson: (text) => readPush(text, jsonDepth), handler: push })),
    doorOf("pushMany", (path) => ({ ...withToken(path), readJson: (text) => readBatch(text, jsonDepth), handler: pushMany })),
    doorOf("classicPush", (path) => ({
      readJson: (text) => ({ value: parseJson(text) }),
      handler: classicPush,
      refuse(cause, request) {
        const error = nameFault(cause, path, request.id);
        setOutcome(request, error.status);
        return classicErrorAnswer(error);
      },
    })),
  ]);
}
