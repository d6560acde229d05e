import { ok, Refusal } from './answer.ts';
import type { Application, Applications, EventSource } from './applications.ts';
import type { Bridges } from './bridges.ts';
import type { Channels } from './channels.ts';
import { eventFilterOf } from './event-filter.ts';
import type { PbxClock } from './pbx-clock.ts';
import type { Ids, Routes } from './rest-routes.ts';

export interface SystemRoutesParts {
  readonly applications: Applications;
  readonly bridges: Bridges;
  readonly channels: Channels;
  readonly clock: PbxClock;
  readonly name: string;
  readonly entityId: string;
  readonly version: string;
}

/** `/asterisk` and `/applications` of ARI. */
export function systemRoutes(parts: SystemRoutesParts): Routes {
  const { applications, bridges, channels, clock, entityId, name, version } = parts;

  const application = ({ applicationName = '' }: Ids): Application => {
    const found = applications.get(applicationName);
    if (!found) throw new Refusal(404, 'Application not found');
    return found;
  };
  const sourceNamed = (text: string): EventSource => {
    const [kind, id = ''] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];
    if (kind !== 'channel' && kind !== 'bridge') throw new Refusal(400, 'Invalid event source URI scheme');
    const isThere = kind === 'channel' ? channels.find(id) : bridges.find(id);
    if (!isThere) throw new Refusal(422, 'Event source does not exist');
    return `${kind}:${id}`;
  };
  const startedAt = clock.stamp();

  return {
    'GET asterisk/ping': () => ok({ ping: 'pong', timestamp: clock.stamp(), asterisk_id: entityId }),
    'GET asterisk/info': (_, parameters) => {
      const info = {
        build: { os: 'Linux', kernel: 'simulated', machine: 'simulated', options: '', date: '', user: '' },
        system: { version, entity_id: entityId },
        config: { name, default_language: 'en', setid: { user: '', group: '' } },
        status: { startup_time: startedAt, last_reload_time: startedAt },
      };
      const only = parameters.list('only');
      return ok(
        only.length === 0 ? info : Object.fromEntries(Object.entries(info).filter(([key]) => only.includes(key))),
      );
    },
    'GET applications': () => ok(applications.list()),
    'GET applications/{applicationName}': (ids) => ok(application(ids)),
    'PUT applications/{applicationName}/eventFilter': (ids, parameters) => {
      const found = application(ids);
      found.filter = eventFilterOf(parameters.all);
      return ok(found);
    },
    'POST applications/{applicationName}/subscription': (ids, parameters) => {
      const found = application(ids);
      const sources = parameters.list('eventSource').map(sourceNamed);
      for (const source of sources) if (!found.sources.has(source)) applications.subscribe(found.name, source);
      return ok(found);
    },
    'DELETE applications/{applicationName}/subscription': (ids, parameters) => {
      const found = application(ids);
      const sources = parameters.list('eventSource').map(sourceNamed);
      if (sources.some((source) => !found.sources.has(source)))
        throw new Refusal(409, 'Application not subscribed to event source');
      for (const source of sources) applications.unsubscribe(found.name, source);
      return ok(found);
    },
  };
}
