// Origins: exact, or any when none is listed.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { originAllowed } from "../../server/src/auth/origin.ts";
import { makeApp } from "./apps.ts";

describe("an origin", () => {
  const listed = makeApp({ allowedOrigins: new Set(["https://shop.example", "http://localhost:3000"]) });

  it("is allowed when it is listed exactly", () => {
    for (const origin of ["https://shop.example", "http://localhost:3000"]) assert.equal(originAllowed(listed, origin), true);
    for (const origin of [
      "http://shop.example",
      "https://shop.example:444",
      "https://shop.example.evil.test",
      "https://evil.test/https://shop.example",
      "https://a.shop.example",
      "http://localhost",
      "null",
      "",
      "https://shop.example/",
    ]) {
      assert.equal(originAllowed(listed, origin), false, origin);
    }
  });

  it("need not be there: such a client is no browser", () => {
    assert.equal(originAllowed(listed, undefined), true);
  });

  it("may be any where none is listed", () => {
    for (const origin of ["https://evil.test", "null", undefined]) assert.equal(originAllowed(makeApp(), origin), true);
  });
});
