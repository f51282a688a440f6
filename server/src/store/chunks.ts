// Long lists, a piece at a time.

/** The list in pieces of at most `size`, in order; none of an empty list. */
export function chunks<T>(list: readonly T[], size: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
