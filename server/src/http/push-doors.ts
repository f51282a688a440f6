// The two paths that take one push at a time, as the short road uses them.
import { classicErrorAnswer } from "./classic-reply.ts";
import type { PushDoor } from "./fast-push.ts";
import type { NameFault } from "./faults.ts";
import { problemAnswer } from "./problem.ts";
import { setOutcome } from "./push-meter.ts";
import type { PushRequest } from "./push-request.ts";
import { bodyOf, type Spec } from "./spec.ts";
import { compileBodyCheck } from "./validator.ts";

export interface PushDoorsOptions {
  spec: Spec;
  authenticate: (request: PushRequest) => void;
  push: PushDoor["handler"];
  classicPush: PushDoor["handler"];
  nameFault: NameFault;
}

/** The doors by path; what they take is what the description says of `push` and `classicPush`. */
export function createPushDoors({ spec, authenticate, push, classicPush, nameFault }: PushDoorsOptions): ReadonlyMap<string, PushDoor> {
  const doorOf = (operationId: string, door: (path: string) => Omit<PushDoor, "checks">): [string, PushDoor] => {
    const { path, schemas } = bodyOf(spec, operationId);
    const checks = new Map([...schemas].map(([type, schema]) => [type, compileBodyCheck(spec.components, schema)]));
    return [path, { ...door(path), checks }];
  };
  return new Map([
    doorOf("push", (path) => ({ authenticate, handler: push, refuse: (cause, { id }) => problemAnswer(nameFault(cause, path, id), id) })),
    doorOf("classicPush", (path) => ({
      handler: classicPush,
      refuse(cause, request) {
        const error = nameFault(cause, path, request.id);
        setOutcome(request, error.status);
        return classicErrorAnswer(error);
      },
    })),
  ]);
}
