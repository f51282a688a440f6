// How much of this machine idles.
import { cpus } from "node:os";

/** The time that all processors together have spent, in any unit: of it, idle. */
interface Spent {
  readonly all: number;
  readonly idle: number;
}

/** Answers which share of the processors' time, 0 to 1, has passed idle since it was last asked. */
export function idleMeter(read: () => Spent = spent): () => number {
  let last = read();
  return () => {
    const now = read();
    const [all, idle] = [now.all - last.all, now.idle - last.idle];
    last = now;
    return all > 0 ? idle / all : 0;
  };
}

function spent(): Spent {
  const times = cpus().map(({ times: of }) => of);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  return { all: sum(times.flatMap((of) => Object.values(of))), idle: sum(times.map(({ idle }) => idle)) };
}
