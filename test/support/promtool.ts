import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const alertsFile = fileURLToPath(new URL('../../deploy/prometheus-alerts.yml', import.meta.url));
const dashboardFile = fileURLToPath(new URL('../../deploy/grafana-dashboard.json', import.meta.url));

/** Whether Prometheus's promtool can be started here. CI requires it: without it, tests that need it fail there. */
export function hasPromtool(): boolean {
  if (spawnSync('promtool', ['--version']).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error('CI needs promtool in the PATH. Install the package prometheus.');
  process.stderr.write('No promtool in the PATH: alerts and dashboards are not evaluated. Install the package prometheus for that.\n');
  return false;
}

/** Every alert rule: its name, its expression, and for how many minutes it has to hold. */
export function alertRules(): { name: string; expr: string; minutes: number }[] {
  const rules = readFileSync(alertsFile, 'utf8').replaceAll(/>-\n((?: {10}.*\n)+)/g, (_, lines: string) => `${lines.trim().replaceAll(/\n\s+/g, ' ')}\n`);
  return rules.split('- alert: ').slice(1).map((rule) => {
    const [, count = '0', unit = 'm'] = /^ +for: (\d+)([mh])$/m.exec(rule) ?? [];
    const expr = /^ +expr: (.*)$/m.exec(rule)?.[1];
    if (expr === undefined) throw new Error(`a rule has no expression: ${rule}`);
    return { name: rule.slice(0, rule.indexOf('\n')), expr, minutes: Number(count) * (unit === 'h' ? 60 : 1) };
  });
}

/** Every expression of the dashboard. */
export function dashboardExpressions(): string[] {
  const { panels }: { panels: { targets: { expr: string }[] }[] } = JSON.parse(readFileSync(dashboardFile, 'utf8'));
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

/** The names of metrics in an expression, but for `up`, which is Prometheus's own. */
export function metricsIn(expr: string): string[] {
  return [...new Set(expr.match(/\b(?:longhaul|nodejs|process)_\w+/g))];
}

/** What Prometheus keeps of one scrape: series, each with its value. */
export type Scrape = ReadonlyMap<string, number>;

/** Scrapes a process as Prometheus does. */
export async function scrape(url: string): Promise<Scrape> {
  const page = await fetch(`${url}/metrics`).then((response) => response.text(), () => null);
  const own = 'instance="one",job="longhaul"';
  const series = new Map([[`up{${own}}`, page === null ? 0 : 1]]);
  for (const [, name = '', labels = '', value = ''] of (page ?? '').matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
    series.set(`${name}{${labels === '' ? '' : `${labels},`}${own}}`, Number(value));
  }
  return series;
}

/** An expression, evaluated some minutes after the second of two scrapes, since which nothing has changed. */
export interface Evaluation {
  name: string;
  before: Scrape;
  after: Scrape;
  minutes: number;
  expr: string;
  /** Whether it gives anything. */
  gives: boolean;
}

/** The expression that tells whether an alert fires. */
export function firing(alert: string): string {
  return `ALERTS{alertname="${alert}",alertstate="firing"}`;
}

/** Evaluates them with the alert rules. Returns what promtool finds wrong; empty if nothing is. */
export async function evaluate(evaluations: readonly Evaluation[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-promtool-'));
  try {
    const file = join(folder, 'test.json');
    const tests = evaluations.map(({ name, before, after, minutes, expr, gives }) => ({
      name,
      interval: '1m',
      input_series: [...new Set([...before.keys(), ...after.keys()])].map((series) => ({
        series,
        values: [before, before].map((each) => numeral(each.get(series))).join(' ') + ` ${numeral(after.get(series), `x${minutes + 5}`)}`,
      })),
      promql_expr_test: [
        { expr: `count(${expr}) > bool 0 or vector(0)`, eval_time: `${minutes + 3}m`, exp_samples: [{ labels: '{}', value: Number(gives) }] },
      ],
    }));
    await writeFile(file, JSON.stringify({ rule_files: [alertsFile], evaluation_interval: '1m', tests }));
    // Not spawnSync, which would make this process look busy.
    const promtool = spawn('promtool', ['test', 'rules', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, faults, [status]] = await Promise.all([text(promtool.stdout), text(promtool.stderr), once(promtool, 'close')]);
    return status === 0 ? '' : out + faults;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** In promtool's notation; `_` is no sample. @param times what follows a value that stays */
function numeral(value: number | undefined, times = ''): string {
  if (value === undefined || Number.isNaN(value)) return `_${times}`;
  return `${value.toFixed(6)}${times === '' ? '' : `+0${times}`}`;
}
