import type { Dashboard, Panel } from './dashboards.ts';

/** Two panels beside each other; Grafana's grid has 24 columns. */
const WIDTH = 12;
const HEIGHT = 8;
const COLUMNS = 2;
/** Grafana 9 and later read it; where one is loaded, Grafana asks which Prometheus it is for. */
const SCHEMA = 37;
const DATA_SOURCE = { type: 'prometheus', uid: '${DS_PROMETHEUS}' };

/** A dashboard as Grafana's file of it. */
export function grafanaFile({ name, title, panels }: Dashboard): string {
  const dashboard = {
    __inputs: [{ name: 'DS_PROMETHEUS', label: 'Prometheus', type: 'datasource', pluginId: 'prometheus' }],
    uid: `callfleet-${name}`,
    title,
    tags: ['callfleet'],
    schemaVersion: SCHEMA,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    panels: panels.map(panelOf),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function panelOf({ title, unit, lines }: Panel, index: number): object {
  return {
    id: index + 1,
    type: 'timeseries',
    title,
    datasource: DATA_SOURCE,
    gridPos: { x: (index % COLUMNS) * WIDTH, y: Math.floor(index / COLUMNS) * HEIGHT, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: lines.map(({ query, legend }, n) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + n),
      expr: query,
      legendFormat: legend,
    })),
  };
}
