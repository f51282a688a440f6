// The body of a push, read once: the same value as JSON.parse has, and the data as it was written.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { XlveinError } from "../../server/src/errors.ts";
import { parseJson } from "../../server/src/http/body.ts";
import { readBatch, readPush } from "../../server/src/http/push-body.ts";
import { createDraw } from "../helpers/random.ts";

const DEPTH = 4;

describe("reading a push", () => {
  it("finds the data as it was written, and parses the rest", () => {
    const text = '\t{ "accounts" : ["a"] , "data" : { "n" : 1.50, "t":"\\u00e9\\"}" } ,"key":"k" }\n';
    assert.deepEqual(readPush(text, DEPTH), {
      value: { accounts: ["a"], data: {}, key: "k" },
      data: [{ text: '{ "n" : 1.50, "t":"\\u00e9\\"}" }', tooDeep: false }],
    });
  });

  it("leaves data that is no object where it is", () => {
    for (const data of ["7", '"{}"', "[{}]", "null"])
      assert.deepEqual(readPush(`{"data":${data}}`, DEPTH), { value: { data: JSON.parse(data) }, data: [undefined] });
  });

  it("says of data that is nested too deeply no more than that", () => {
    const [at, beyond] = [`{"data":${'{"a":'.repeat(4)}1${"}".repeat(4)}}`, `{"data":${'{"a":'.repeat(4)}[]${"}".repeat(4)}}`];
    assert.equal(readPush(at, DEPTH).data[0]?.tooDeep, false);
    assert.equal(readPush(beyond, DEPTH).data[0]?.tooDeep, true);
    assert.deepEqual(readPush(beyond, DEPTH).value, { data: {} });
  });

  it("does not look for data in what is inside", () => {
    assert.deepEqual(readPush('{"more":{"data":{}},"data":{"data":{"n":1}}}', DEPTH), {
      value: { more: { data: {} }, data: {} },
      data: [{ text: '{"data":{"n":1}}', tooDeep: false }],
    });
  });

  it("knows no body in an empty text", () => {
    assert.deepEqual(readPush("", DEPTH), { value: undefined, data: [] });
  });
});

describe("reading a batch", () => {
  it("finds the data of each message", () => {
    const text = '{"messages":[{"data":{"n":1}}, {"key":"k"} ,7,{"data":{"n": 2 },"accounts":["a"]}]}';
    assert.deepEqual(readBatch(text, DEPTH), {
      value: { messages: [{ data: {} }, { key: "k" }, 7, { data: {}, accounts: ["a"] }] },
      data: [{ text: '{"n":1}', tooDeep: false }, undefined, undefined, { text: '{"n": 2 }', tooDeep: false }],
    });
  });

  it("takes the last of two lists", () => {
    const text = '{"messages":[{"data":{"n":1}},{}],"messages":[{"data":{"n":2}}]}';
    assert.deepEqual(readBatch(text, DEPTH), { value: { messages: [{ data: {} }] }, data: [{ text: '{"n":2}', tooDeep: false }] });
  });
});

describe("whatever the text", () => {
  const bodies = [
    '{"accounts":["a"],"data":{"n":[1,{"t":"x"}]},"everyone":true}',
    '{"messages":[{"accounts":["a"],"data":{"n":1}},{"rooms":["r"],"data":{}}]}',
    '{"__proto__":{"data":{}},"data":{"__proto__":1}}',
  ];
  const signs = [...'{}[]:,"\\ \n\u0000\ufeff0-1.eEtfn', '"data"', '"messages"', "true"];

  /** What a reader answers or throws. */
  function outcome(read: () => unknown): unknown {
    try {
      return read();
    } catch (error) {
      assert.ok(error instanceof XlveinError, String(error));
      return error.message;
    }
  }

  it("the value is that of JSON.parse but for the data, and so is the fault", () => {
    const draw = createDraw(20);
    for (let round = 0; round < 10_000; round++) {
      let text = bodies[round % bodies.length] as string;
      for (let change = draw(3); change >= 0; change--) {
        const at = draw(text.length);
        text = text.slice(0, at) + (signs[draw(signs.length)] as string) + text.slice(at + draw(3));
      }
      const expected = outcome(() => parseJson(text));
      for (const read of [readPush, readBatch]) {
        const restored = outcome(() => {
          const { value, data } = read(text, DEPTH);
          const items = (read === readPush ? [value] : (value as { messages?: unknown } | undefined)?.messages) as { data: unknown }[] | undefined;
          for (const [i, each] of data.entries()) if (each && items?.[i]) items[i].data = JSON.parse(each.text);
          return value;
        });
        assert.deepEqual(restored, expected, text);
      }
    }
  });
});
