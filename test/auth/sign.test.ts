// The classic sign: the vectors of old callers, and nothing that merely resembles one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { classicSign, type SignedFields, verifySign, verifySignForUnknownApp } from "../../server/src/auth/sign.ts";
import { ErrorCode } from "../../server/src/errors.ts";
import { makeApp, makeSecret } from "./apps.ts";
import { NOW_MS } from "./tokens.ts";

interface SignVector extends SignedFields {
  secret: string;
  sign: string;
}

const { vectors } = JSON.parse(readFileSync(new URL("../vectors/sign.json", import.meta.url), "utf8")) as { vectors: SignVector[] };
const fields: SignedFields = { app_key: "test", send_to: "user_1", message: '{"text":"hi"}', nonce: "abcdefghijklmnop" };
const app = makeApp({ secrets: [makeSecret("s3cr3t")] });
const SIGN = "7B026B198BA62E53BF9E1201C3CFDC3E";

describe("the classic sign", () => {
  it("is the one old callers make", () => {
    assert.equal(vectors.length, 4);
    for (const { secret, sign, ...signed } of vectors) {
      assert.equal(classicSign(signed, secret), sign);
      assert.equal(verifySign(makeApp({ secrets: [makeSecret(secret, "s")] }), signed, sign, NOW_MS), "s");
    }
  });

  it("is refused in lower case, cut, longer, of another secret or for changed fields", () => {
    for (const sign of [
      SIGN.toLowerCase(),
      SIGN.slice(1),
      `${SIGN}0`,
      ` ${SIGN}`,
      "",
      "0".repeat(32),
      classicSign(fields, "other"),
      classicSign(fields, ""),
      "é".repeat(32),
    ]) {
      assert.throws(() => verifySign(app, fields, sign, NOW_MS), { code: ErrorCode.SIGN_INVALID, status: 401 });
    }
    for (const name of ["app_key", "send_to", "message", "nonce"] as const) {
      assert.throws(() => verifySign(app, { ...fields, [name]: `${fields[name]} ` }, SIGN, NOW_MS), { code: ErrorCode.SIGN_INVALID });
    }
  });

  it("is accepted from every secret that has not ended", () => {
    const rotated = makeApp({ secrets: [makeSecret("new", "b"), makeSecret("s3cr3t", "a", NOW_MS + 1)] });
    assert.equal(verifySign(rotated, fields, SIGN, NOW_MS), "a");
    assert.equal(verifySign(rotated, fields, classicSign(fields, "new"), NOW_MS), "b");
    assert.throws(() => verifySign(rotated, fields, SIGN, NOW_MS + 1), { code: ErrorCode.SIGN_INVALID });
  });

  it("does not let text move from one field to another", () => {
    const shifted = { ...fields, message: '{"a":1}', nonce: "n&send_to=victim", send_to: "x" };
    const moved = { ...fields, message: '{"a":1}', nonce: "n", send_to: "victim&send_to=x" };
    assert.equal(classicSign(shifted, "s"), classicSign(moved, "s"), "the two share one sign");
    for (const name of ["app_key", "nonce", "send_to"] as const) {
      for (const separator of ["&app_key=", "&message=", "&nonce=", "&send_to=", "&key="]) {
        const bad = { ...fields, [name]: `a${separator}b` };
        assert.throws(() => verifySign(app, bad, classicSign(bad, "s3cr3t"), NOW_MS), {
          code: ErrorCode.BAD_REQUEST,
          message: `body.${name} must not contain ${separator} in a signed push`,
        });
      }
      for (const harmless of ["a&b=c", "&", "=", "&keys=1", "key=1", "&nonce"]) {
        const good = { ...fields, [name]: harmless };
        assert.equal(verifySign(app, good, classicSign(good, "s3cr3t"), NOW_MS), "default");
      }
    }
  });

  it("leaves the message free to hold anything", () => {
    const odd = { ...fields, message: '{"a":"&nonce=1&send_to=2&key=3"}' };
    assert.equal(verifySign(app, odd, classicSign(odd, "s3cr3t"), NOW_MS), "default");
  });

  it("for an unknown application is answered APP_NOT_FOUND", () => {
    assert.throws(() => verifySignForUnknownApp(fields, SIGN), { code: ErrorCode.APP_NOT_FOUND, message: /body\.app_key/ });
    assert.throws(() => verifySignForUnknownApp(fields, ""), { code: ErrorCode.APP_NOT_FOUND });
  });

  it("costs as much for an unknown application as when it is wrong", () => {
    const time = (work: () => unknown): number => {
      const started = process.hrtime.bigint();
      for (let i = 0; i < 1_000; i++) assert.throws(work);
      return Number(process.hrtime.bigint() - started);
    };
    const [wrong, unknown] = [() => verifySign(app, fields, "0".repeat(32), NOW_MS), () => verifySignForUnknownApp(fields, "0".repeat(32))];
    time(wrong);
    time(unknown);
    const ratios = Array.from({ length: 9 }, () => time(unknown) / time(wrong)).sort((a, b) => a - b);
    const median = ratios[4] ?? 0;
    assert.ok(median > 0.5 && median < 2, `an unknown application takes ${median} times as long`);
  });
});
