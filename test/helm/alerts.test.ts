// The alerts: promtool reads them, they fire when they should, every metric exists, and each has a section to read at night.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { stringify } from "yaml";
import { anchors } from "../docs/markdown.ts";
import { find, promtool, ROOT, render, run, withFolder } from "./chart.ts";
import { knownMetrics, unknownNames } from "./metrics.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface Spec {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

const owner = { after: (end: () => unknown) => after(end as () => Promise<void>) };
const specOf = async (values: object = {}) => find(await render({ ci: "operator", values, namespace: "n" }), "PrometheusRule")["spec"] as Spec;
const spec = await specOf();
const rules = spec.groups.flatMap((group) => group.rules);

/** Series of two pods over 40 minutes, and what fires at a time. */
const SERIES: Record<string, string> = {
  'xlvein_exchange_up{pod="a"}': "1x4 0x76",
  'xlvein_exchange_up{pod="b"}': "1x80",
  'xlvein_connections{pod="a",app="x"}': "3000x80",
  'xlvein_connections{pod="b",app="x"}': "10x80",
  'xlvein_node_connection_limit{pod="a"}': "3100x80",
  'xlvein_app_connection_limit{pod="a",app="x"}': "3200x80",
  'xlvein_config_info{pod="a",revision="r1"}': "1x80",
  'xlvein_config_info{pod="b",revision="r2"}': "1x80",
  'xlvein_push_requests_total{pod="a",code="200"}': "0+100x80",
  'xlvein_push_requests_total{pod="a",code="503"}': "0+5x80",
  'xlvein_messages_dropped_total{pod="a",app="x",reason="lost"}': "0x40 7x40",
  'xlvein_connections_closed_total{pod="a",app="x",code="4203"}': "0+90x80",
  'xlvein_stream_epoch_changes_total{pod="a"}': "0x40 1x40",
  'up{pod="a"}': "1x80",
  'xlvein_send_buffer_bytes{pod="a"}': "100000000x80",
  'process_resident_memory_bytes{pod="a"}': "200000000x80",
};
const FIRES: Record<string, Record<string, [Record<string, string>, string][]>> = {
  "5m": {
    XlveinExchangePartitioned: [[{}, "some servers are cut off from the exchange"]],
    XlveinExchangeDown: [],
    XlveinDown: [],
    XlveinMessagesLost: [],
    XlveinConnectionsImbalanced: [],
  },
  "10m": {
    XlveinConfigSkew: [[{}, "servers serve different sets of applications"]],
    XlveinNodeNearConnectionLimit: [[{ pod: "a" }, "a holds 96.77% of its limit of sockets"]],
  },
  "15m": {
    XlveinPushErrorRateHigh: [[{}, "4.762% of pushes fail"]],
    XlveinSlowConsumers: [[{}, "3 clients a second are cut for not reading"]],
    XlveinAppNearConnectionLimit: [[{ pod: "a", app: "x" }, "app x holds 93.75% of its maxConnections on a"]],
    XlveinSendBufferHigh: [[{ pod: "a" }, "a: 95.37MiB wait in outboxes"]],
  },
  "25m": {
    XlveinConnectionsImbalanced: [[{}, "one server holds 1.993 times the mean"]],
    XlveinMessagesLost: [[{ app: "x" }, "app x: 7 messages lost"]],
    XlveinStreamEpochChanged: [[{}, "1 streams have begun a new epoch"]],
  },
};

describe("the alerts", () => {
  it("are read by promtool", async () => {
    assert.ok(rules.length >= 24, `only ${rules.length}`);
    const { code, stdout, stderr } = await promtool(["check", "rules", "--lint=all", "--lint-fatal"], "rules.yaml", stringify(spec));
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`${rules.length} rules found`));
  });

  it("fire when they should, and not before", async () => {
    await withFolder(async (folder) => {
      const scraped = 'namespace="n",job="xlvein",';
      const tests = {
        rule_files: ["rules.yaml"],
        evaluation_interval: "30s",
        tests: [
          {
            interval: "30s",
            input_series: Object.entries(SERIES).map(([series, values]) => ({ series: series.replace("{", `{${scraped}`), values })),
            alert_rule_test: Object.entries(FIRES).flatMap(([eval_time, alerts]) =>
              Object.entries(alerts).map(([alertname, expected]) => ({
                eval_time,
                alertname,
                exp_alerts: expected.map(([labels, summary]) => expectedAlert(alertname, labels, summary)),
              })),
            ),
          },
          {
            interval: "30s",
            input_series: [],
            alert_rule_test: [
              { eval_time: "5m", alertname: "XlveinDown", exp_alerts: [expectedAlert("XlveinDown", {}, "No xlvein server is scraped successfully")] },
            ],
          },
        ],
      };
      await writeFile(join(folder, "rules.yaml"), stringify(spec));
      await writeFile(join(folder, "tests.yaml"), stringify(tests));
      const { code, stdout, stderr } = await run("promtool", ["test", "rules", join(folder, "tests.yaml")]);
      assert.equal(code, 0, stdout + stderr);
    });
  });

  it("name metrics and labels that a live server has", async () => {
    const known = await knownMetrics(owner);
    assert.deepEqual(
      rules.flatMap(({ alert, expr }) => unknownNames(expr, known).map((fault) => `${alert}: ${fault}`)),
      [],
    );
    assert.deepEqual(unknownNames('sum by (colour) (rate(xlvein_nothing_total{code="1"}[5m])) / xlvein_exchange_up{app="x"}', known), [
      "xlvein_nothing_total: no such metric",
      "xlvein_exchange_up: no label app",
      'by (colour): no metric of sum by (colour) (rate(xlvein_nothing_total{code="1"}[5m])) / xlvein_exchange_up{app="x"} has it',
    ]);
  });

  it("look at this release alone", () => {
    for (const { alert, expr } of rules) {
      const selectors = expr.match(/\b(up|(xlvein|process|nodejs)_\w+)(\{[^}]*\})?/g) ?? [];
      assert.ok(selectors.length > 0 && selectors.every((selector) => /\{namespace="n",job="xlvein(-operator)?"/.test(selector)), `${alert}: ${expr}`);
    }
  });

  it("have a severity, a summary, and a section in docs/runbooks.md, which has no other", () => {
    const runbooks = readFileSync(join(ROOT, "docs/runbooks.md"), "utf8");
    const known = anchors(runbooks);
    for (const { alert, labels, annotations } of rules) {
      assert.ok(["critical", "warning", "info"].includes(labels.severity), alert);
      assert.ok(annotations["summary"] && annotations["description"], alert);
      const [page, anchor = ""] = (annotations["runbook_url"] ?? "").split("#");
      assert.match(page ?? "", /^https:\/\/\S+\/docs\/runbooks\.md$/);
      assert.ok(known.has(anchor), `docs/runbooks.md has no section ${alert}`);
    }
    const sections = [...runbooks.matchAll(/^## (Xlvein\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(sections.sort(), rules.map(({ alert }) => alert).sort());
  });

  it("can be left out one by one, moved, and given other thresholds", async () => {
    const other = await specOf({
      metrics: { prometheusRule: { disabled: ["XlveinDown"], runbookUrl: "https://wiki.example/x", thresholds: { pushP99Seconds: 2 } } },
    });
    const changed = other.groups.flatMap((group) => group.rules);
    assert.equal(changed.length, rules.length - 1);
    assert.match(changed.find(({ alert }) => alert === "XlveinPushLatencyHigh")?.expr ?? "", /> 2$/);
    assert.equal(changed[0]?.annotations["runbook_url"], "https://wiki.example/x#xlveinreplicadown");
    assert.ok(!JSON.stringify(other).includes("%"), "a placeholder is left");
  });

  it("of the operator are there where the operator is scraped", async () => {
    const unscraped = await specOf({ operator: { metrics: { enabled: false } } });
    assert.ok(!unscraped.groups.some(({ name }) => name === "xlvein.operator"));
    const without = find(await render({ values: { metrics: { prometheusRule: { enabled: true } } } }), "PrometheusRule")["spec"] as Spec;
    assert.deepEqual(
      without.groups.map(({ name }) => name),
      spec.groups.map(({ name }) => name).filter((name) => name !== "xlvein.operator"),
    );
  });
});

function expectedAlert(alertname: string, labels: Record<string, string>, summary: string): object {
  const rule = rules.find(({ alert }) => alert === alertname) ?? assert.fail(`there is no ${alertname}`);
  return { exp_labels: { namespace: "n", job: "xlvein", severity: rule.labels.severity, ...labels }, exp_annotations: { ...rule.annotations, summary } };
}
