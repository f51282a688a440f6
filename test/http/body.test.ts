// Request bodies: what is read from them, and what is refused with its place.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseForm, parseJson } from "../../server/src/http/body.ts";

describe("a form body", () => {
  it("gives each field decoded", () => {
    assert.deepEqual(parseForm("a=1&b=x+y%20z&c=%E4%BD%A0&d=a%26b%3Dc&e=&f"), { a: "1", b: "x y z", c: "你", d: "a&b=c", e: "", f: "" });
    assert.deepEqual(parseForm("a=你&b=1=2"), { a: "你", b: "1=2" });
    assert.deepEqual(parseForm(""), {});
    assert.deepEqual(parseForm("&&a=1&"), { a: "1" });
    assert.deepEqual(Object.keys(parseForm("__proto__=1&constructor=2")), ["__proto__", "constructor"]);
  });

  it("is refused when a field is repeated or not percent-encoded UTF-8", () => {
    assert.throws(() => parseForm("nonce=a&nonce=b"), { code: 400, message: "body.nonce is given more than once" });
    assert.throws(() => parseForm("nonce=a&n%6Fnce=b"), { message: "body.nonce is given more than once" });
    for (const bad of ["%", "%4", "%zz", "%ff", "%c0%80", "%ed%a0%80"]) {
      assert.throws(() => parseForm(`a=1&message=${bad}`), { code: 400, message: "body.message is not valid percent-encoded UTF-8" });
      assert.throws(() => parseForm(`${bad}=1`), { message: "body holds a name that is not valid percent-encoded UTF-8" });
    }
  });

  it("is refused when it has more than a hundred fields", () => {
    const fields = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=1`).join("&");
    assert.equal(Object.keys(parseForm(fields(100))).length, 100);
    assert.throws(() => parseForm(fields(101)), { code: 400, message: "body has more than 100 fields" });
    assert.throws(() => parseForm("&".repeat(1_000_000)), /more than 100/);
  });
});

describe("a JSON body", () => {
  it("is parsed, or refused with the place of its fault and none of its text", () => {
    assert.deepEqual(parseJson('{"a":[1]}'), { a: [1] });
    assert.equal(parseJson(""), undefined);
    assert.throws(() => parseJson('{"secret":tru}'), { code: 400, message: "body is not valid JSON: fault at position 10" });
    assert.throws(() => parseJson("\ufeff{}"), { message: "body is not valid JSON: fault at position 0" });
  });
});
