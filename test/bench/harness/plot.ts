// A curve as SVG: a line for each series, drawn without a browser.
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Curve } from "./scenario.ts";

/** Values whose greatest is so many times the least, or more, are drawn on a logarithmic axis. */
const LOGARITHMIC_FROM = 30;

/** The whole file. Readable on a light and on a dark page. */
export function curveSvg({ title, x, y, lines }: Curve): string {
  const { document } = parseHTML("<html></html>");
  const points = lines.flatMap(({ name, points }) => points.map(([px, py]) => ({ name, x: px, y: py })));
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  const channels = { x: "x", y: "y", stroke: "name" };
  const figure = Plot.plot({
    document: document as unknown as Document,
    width: 720,
    height: 400,
    marginLeft: 64,
    marginTop: 64,
    marginBottom: 48,
    marginRight: 24,
    grid: true,
    style: { background: "white", color: "#222", font: "12px sans-serif" },
    x: { label: null, ...(isWide(xs) ? { type: "log" as const, tickFormat: "~s" } : {}) },
    y: { label: null, ...(isWide(ys) ? { type: "log" as const, tickFormat: "~r" } : { domain: [0, Math.max(...ys) * 1.1] }) },
    marks: [
      ...(isWide(ys) ? [] : [Plot.ruleY([0])]),
      Plot.lineY(points, channels),
      Plot.dot(points, { ...channels, fill: "name" }),
      Plot.text(points, Plot.selectLast({ x: "x", y: "y", z: "name", text: "name", dy: -10, textAnchor: "end" })),
      Plot.text([title], { frameAnchor: "top-left", dx: -52, dy: -48, fontSize: 14, fontWeight: "bold" }),
      Plot.text([`↑ ${y}`], { frameAnchor: "top-left", dx: -52, dy: -24 }),
      Plot.text([`${x} →`], { frameAnchor: "bottom-right", dy: 38 }),
    ],
  });
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  // For who cannot see it; and without rules that are for a drawing inside of a page.
  const name = document.createElementNS("http://www.w3.org/2000/svg", "title");
  name.textContent = title;
  figure.querySelector("style")?.remove();
  figure.prepend(name);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${figure.outerHTML}\n`;
}

function isWide(values: readonly number[]): boolean {
  const least = Math.min(...values);
  return least > 0 && Math.max(...values) / least >= LOGARITHMIC_FROM;
}
