// Writes the table of values into the chart's README: `npm run generate:chart`.
import { join } from "node:path";
import { kubernetesTools } from "../setup/kubernetes.ts";
import { CHART, run } from "./chart.ts";

/** Writes what values.yaml says into a README. Throws the generator's message when a value has no comment, or a comment no value. */
export async function writeReadme(readme: string, values = join(CHART, "values.yaml")): Promise<void> {
  const { readmeGenerator } = await kubernetesTools();
  const { code, stdout, stderr } = await run(process.execPath, [readmeGenerator, "--values", values, "--readme", readme]);
  if (code !== 0)
    throw new Error(
      stdout
        .split("\n")
        .filter((line) => line.startsWith("ERROR"))
        .join("\n") || stderr,
    );
}

if (import.meta.main) await writeReadme(join(CHART, "README.md"));
