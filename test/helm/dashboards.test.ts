// The dashboards: every query is one that promtool reads and names metrics that exist; panels, variables and places are in order.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { stringify } from "yaml";
import { CHART, chartFile, promtool, render } from "./chart.ts";
import { knownMetrics, readExpression, unknownNames } from "./metrics.ts";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly refId: string; readonly legendFormat: string; readonly datasource: { readonly uid: string } }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
}

const owner = { after: (end: () => unknown) => after(end as () => Promise<void>) };
const files = readdirSync(join(CHART, "files/dashboards"));
const dashboards = files
  .map((file) => ({ file, text: chartFile(`files/dashboards/${file}`) }))
  .map(({ file, text }) => ({ file, text, board: JSON.parse(text) as Dashboard }));
const queries = dashboards.flatMap(({ file, board }) => [
  ...board.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title: `${file}: ${title}`, expr }))),
  ...board.annotations.list.map(({ name, expr }) => ({ title: `${file}: ${name}`, expr })),
]);

/** As Grafana would fill it in. */
function filled(expr: string): string {
  return expr.replaceAll("$__rate_interval", "5m").replaceAll("$__range", "3h").replaceAll(/\$\w+/g, ".*");
}

describe("the dashboards", () => {
  it("are two, with queries that promtool reads", async () => {
    assert.deepEqual(files.sort(), ["xlvein-apps.json", "xlvein.json"]);
    assert.ok(queries.length > 60, `only ${queries.length} queries`);
    const rules = { groups: [{ name: "panels", rules: queries.map(({ expr }, i) => ({ record: `panel:${i}`, expr: filled(expr) })) }] };
    const { code, stdout, stderr } = await promtool(["check", "rules"], "panels.yaml", stringify(rules));
    assert.equal(code, 0, stdout + stderr);
  });

  it("name metrics and labels that a live server has", async () => {
    const known = await knownMetrics(owner);
    assert.deepEqual(
      queries.flatMap(({ title, expr }) => unknownNames(expr, known).map((fault) => `${title}: ${fault}`)),
      [],
    );
    const named = new Set(queries.flatMap(({ expr }) => readExpression(expr).selectors.map(({ metric }) => metric.replace(/_bucket$/, ""))));
    const unseen = [...known.keys()].filter((name) => name.startsWith("xlvein_") && !named.has(name.replace(/_bucket$/, "")));
    assert.deepEqual(unseen, [], "metrics that no panel shows");
  });

  for (const { file, text, board } of dashboards)
    describe(file, () => {
      it("has panels of their own number, name and place", () => {
        const ids = board.panels.map(({ id }) => id);
        assert.equal(new Set(ids).size, ids.length);
        const titles = board.panels.map(({ title }) => title);
        assert.ok(titles.every((title) => title !== ""));
        const cells = board.panels.flatMap(({ gridPos: { x, y, w, h }, title }) =>
          Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)} ${x + w > 24 ? title : ""}`),
        );
        assert.equal(new Set(cells).size, cells.length, "panels overlap");
        assert.deepEqual(
          cells.filter((cell) => !cell.endsWith(" ")),
          [],
          "panels are wider than the page",
        );
      });

      it("uses every variable that it has, and no other", () => {
        const has = board.templating.list.map(({ name }) => name);
        const used = new Set([...text.matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name));
        assert.deepEqual([...used].sort(), has.sort());
      });

      it("asks one data source, and shows in legends what its queries keep", () => {
        for (const { title, targets = [] } of board.panels) {
          assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
          for (const { datasource, legendFormat, expr } of targets) {
            assert.equal(datasource.uid, `\${datasource}`, title);
            const kept = readExpression(expr).groups;
            for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) assert.ok(kept.includes(label) || kept.length === 0, `${title}: ${label}`);
          }
        }
      });
    });

  it("are handed to Grafana's sidecar as they are", async () => {
    const maps = (await render({ ci: "ha-hpa" })).filter(({ metadata }) => metadata.labels?.["grafana_dashboard"] === "1");
    assert.deepEqual(
      maps.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      ["monitoring/xlvein-dashboard-apps", "monitoring/xlvein-dashboard-overview"],
    );
    for (const { file, board } of dashboards) {
      const [found] = maps.flatMap((map) => (map["data"][file] === undefined ? [] : [map["data"][file] as string]));
      assert.deepEqual(JSON.parse(found ?? "{}"), board);
    }
    assert.equal(new Set(dashboards.map(({ board }) => board.uid)).size, 2);
  });
});
