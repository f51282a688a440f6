// The chart's documents and its description: generated where they can be, and true everywhere.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { codeBlocks } from "../docs/markdown.ts";
import { CHART, chartFile, each, examples, helm, type Json, ROOT, render, template, withFolder, workloads } from "./chart.ts";
import { writeReadme } from "./write-readme.ts";

const chart = parse(chartFile("Chart.yaml")) as { version: string; appVersion: string; kubeVersion: string; annotations: Record<string, string> };
const values = parse(chartFile("values.yaml")) as Record<string, Json>;
const readme = chartFile("README.md");

describe("the chart's README", () => {
  it("has the table that values.yaml yields", async () => {
    await withFolder(async (folder) => {
      const copy = join(folder, "README.md");
      await copyFile(join(CHART, "README.md"), copy);
      await writeReadme(copy);
      assert.equal(await readFile(copy, "utf8"), readme, "run `npm run generate:chart`");
    });
  });

  it("is not generated from values without a comment, or comments without a value", async () => {
    await withFolder(async (folder) => {
      const [copy, wrong] = [join(folder, "README.md"), join(folder, "values.yaml")];
      await copyFile(join(CHART, "README.md"), copy);
      await writeFile(wrong, `${chartFile("values.yaml")}\nforgotten: 1\n## @param gone Nothing\n`);
      await assert.rejects(writeReadme(copy, wrong), /Missing metadata for key: forgotten\n.*non existing key: gone/);
    });
  });

  it("shows values that can be installed", async () => {
    const blocks = codeBlocks(readme).filter(({ language, text }) => language === "yaml" && !text.includes("apiVersion"));
    assert.equal(blocks.length, 2);
    for (const { text } of blocks) assert.ok((await render({ values: parse(text) as object })).length > 8, text);
  });
});

describe("the chart's description", () => {
  it("has the version of everything else", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    assert.deepEqual([chart.version, chart.appVersion], [version, version]);
  });

  it("lists the images that it runs", async () => {
    const listed = (parse(chart.annotations["artifacthub.io/images"] ?? "") as { image: string }[]).map(({ image }) => image).sort();
    const used = workloads(await render({ ci: "rabbitmq-embedded" })).flatMap(({ spec }) => spec.containers.map(({ image }: { image: string }) => image));
    assert.deepEqual(listed, [...new Set(used)].sort());
  });

  it("says what it needs, what it brings and what is new", () => {
    for (const name of ["category", "license", "links", "changes", "prerelease", "operator"]) assert.ok(chart.annotations[`artifacthub.io/${name}`], name);
    assert.equal(chart.kubeVersion, ">=1.27.0-0");
    const [crd] = parse(chart.annotations["artifacthub.io/crds"] ?? "") as { kind: string; version: string; name: string }[];
    assert.deepEqual([crd?.kind, crd?.version, crd?.name], ["Application", "v1alpha1", "applications.xlvein.io"]);
    const [example] = parse(chart.annotations["artifacthub.io/crdsExamples"] ?? "") as Record<string, Json>[];
    assert.deepEqual([example?.["apiVersion"], example?.["kind"]], ["xlvein.io/v1alpha1", "Application"]);
  });

  it("is refused by a Kubernetes that is too old", async () => {
    const { code, stderr } = await template({ kube: "1.26.9" });
    assert.equal(code, 1);
    assert.match(stderr, /requires kubeVersion: >=1\.27\.0-0/);
  });

  it("has an icon, which is in the repository", () => {
    const { icon = "" } = chart as { icon?: string };
    const [, path = ""] = /^https:\/\/\S+\/main\/(\S+\.svg)$/.exec(icon) ?? [];
    assert.match(readFileSync(join(ROOT, path), "utf8"), /<svg/);
  });

  it("has no dependency to fetch", () => assert.equal((chart as { dependencies?: unknown }).dependencies, undefined));
});

describe("the notes after an installation", () => {
  const notes = async (ci: string) => {
    const { stdout, stderr, code } = await helm(
      "install",
      "xlvein",
      CHART,
      "--namespace",
      "push",
      "--dry-run=client",
      "-f",
      join(CHART, "ci", `${ci}-values.yaml`),
    );
    assert.equal(code, 0, stderr);
    return stdout.slice(stdout.indexOf("\nNOTES:\n"));
  };

  it("give the next three commands for every example, and no secret", async () => {
    for (const [ci, text] of await each(examples, async (name) => [name, await notes(name)] as const)) {
      for (const number of [1, 2, 3]) assert.match(text, new RegExp(`^ {2}${number}\\. [A-Z].*\\n {5}\\S`, "m"), `${ci}: ${number}`);
      assert.match(text, /helm -n push test xlvein --logs/);
      assert.doesNotMatch(text, /<no value>|0123456789abcdef|%!/, ci);
    }
  });

  it("read the secret that the hook has made, and say what stays", async () => {
    const text = await notes("default");
    assert.match(
      text,
      /get secret xlvein-default-application -o go-template='\{\{\.data\.app_key \| base64decode\}\} \{\{\.data\.app_secret \| base64decode\}\}/,
    );
    assert.match(text, /delete secret xlvein-default-application$/m);
  });

  it("say what each broker survives", async () => {
    assert.match(await notes("redis-embedded"), /Redis is one pod with a volume/);
    assert.match(await notes("operator"), /Redis is one pod without a volume/);
    assert.match(await notes("ha-hpa"), /prometheus-adapter:[\s\S]*name: \{as: xlvein_connections\}/);
    assert.doesNotMatch(await notes("ha-keda"), /drain\.preStopSeconds to 120/);
    assert.doesNotMatch(await notes("ha-hpa"), /XlveinDown will fire/);
    const alone = await helm("install", "x", CHART, "-n", "push", "--dry-run=client", "--set", "metrics.prometheusRule.enabled=true");
    assert.match(alone.stdout, /namespace="push" and job="x-xlvein"[\s\S]*XlveinDown will fire/);
  });
});

describe("values.yaml", () => {
  it("is what every document calls it", () => {
    const keys = Object.keys(values);
    const named = new Set(
      [
        ...`${readFileSync(join(ROOT, "docs/operations.md"), "utf8")}${readFileSync(join(ROOT, "docs/runbooks.md"), "utf8")}${readme.split("## Parameters")[0]}`.matchAll(
          /`([a-z]\w+(?:\.\w+)+)(?::[^`]*)?`/g,
        ),
      ].map(([, path = ""]) => path),
    );
    const wrong = [...named].filter((path) => {
      const [head = "", ...rest] = path.split(".");
      // Keys of Secrets end like files.
      if (
        !keys.includes(head) ||
        /_|\.(json|gz)$/.test(path) ||
        /^(store|exchange)\.(type|history)/.test(path) ||
        ["exchange.redis", "exchange.rabbitmq"].includes(path)
      )
        return false;
      return (
        rest.reduce<Json | undefined>(
          (node, name) => (typeof node === "object" && node !== null && !Array.isArray(node) ? node[name] : undefined),
          values[head],
        ) === undefined
      );
    });
    assert.deepEqual(wrong, []);
  });
});
