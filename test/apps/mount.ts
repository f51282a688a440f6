// Writes a directory as kubelet writes a mounted Secret: a new directory each time, a link swapped in one step, the old directory removed.
import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Mount {
  readonly directory: string;
  /** Replaces every file at once. */
  write(files: Readonly<Record<string, string | Buffer>>): void;
}

export function createMount(directory: string): Mount {
  let generation = 0;
  const linked = new Set<string>();
  mkdirSync(directory, { recursive: true });
  return {
    directory,
    write(files) {
      generation += 1;
      const fresh = `..2026_11_23_00_00_00.${generation}`;
      mkdirSync(join(directory, fresh));
      for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, fresh, name), content);
      const before = generation === 1 ? undefined : readlinkSync(join(directory, "..data"));
      symlinkSync(fresh, join(directory, "..data_tmp"));
      renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
      for (const name of Object.keys(files)) if (!linked.has(name)) symlinkSync(join("..data", name), join(directory, name));
      for (const name of linked) if (!(name in files)) rmSync(join(directory, name));
      linked.clear();
      for (const name of Object.keys(files)) linked.add(name);
      if (before !== undefined) rmSync(join(directory, before), { recursive: true });
    },
  };
}
