import { writeFileSync } from 'node:fs';
import { dashboards } from './dashboards.ts';
import { grafanaFile } from './grafana.ts';

/* Writes monitoring/dashboards/*.json. */

for (const dashboard of dashboards)
  writeFileSync(new URL(`dashboards/${dashboard.name}.json`, import.meta.url), grafanaFile(dashboard));
