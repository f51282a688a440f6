// Cuts a long list into requests that the server takes.

/** Most items in one request, by openapi.yaml. */
const MAX_ITEMS = 1_000;
/** Most bytes of items in one request, below the server's default for a body (1 MiB). */
const MAX_BYTES = 1_000_000;

/** Splits by number and by size; an item larger than the limit goes alone, and the server says what it thinks of it. */
export function* chunks(texts: readonly string[]): Generator<string[]> {
  let chunk: string[] = [];
  let bytes = 0;
  for (const text of texts) {
    const size = Buffer.byteLength(text) + 1;
    if (chunk.length === MAX_ITEMS || (chunk.length > 0 && bytes + size > MAX_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(text);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
