/** What is drawn of a fleet. `node monitoring/generate.ts` makes Grafana's files of it. */
export interface Dashboard {
  /** Of its file, and of its address in Grafana. */
  readonly name: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly title: string;
  /** Grafana's: `short`, `ms`, `s`, `bytes`, `ops` (per second), `percentunit`. */
  readonly unit: string;
  readonly lines: readonly Line[];
}

interface Line {
  readonly query: string;
  /** Of Grafana: `{{label}}`. */
  readonly legend: string;
  /** Nothing is drawn while nothing goes wrong: no test waits for it. */
  readonly isRare?: true;
}

const line = (query: string, legend: string): Line => ({ query, legend });
const rare = (query: string, legend: string): Line => ({ query, legend, isRare: true });
const panel = (title: string, unit: string, ...lines: Line[]): Panel => ({ title, unit, lines });

/** The median and what 95 and 99 % stay below, of a histogram in milliseconds. */
const quantiles = (histogram: string, by = ''): Line[] =>
  [0.5, 0.95, 0.99].map((share) => {
    const labels = by === '' ? 'le' : `${by}, le`;
    const legend = `${by === '' ? '' : `{{${by}}} `}p${share * 100}`;
    return line(`histogram_quantile(${share}, sum by (${labels}) (rate(${histogram}_bucket[5m])))`, legend);
  });

export const dashboards: readonly Dashboard[] = [
  {
    name: 'fleet',
    title: 'Callfleet: fleet',
    panels: [
      panel('Calls in hand', 'short', line('sum(callfleet_worker_calls)', 'calls')),
      panel(
        'Calls ended',
        'ops',
        line('sum by (callfleet_ended_by) (rate(callfleet_calls_ended_total[5m]))', '{{callfleet_ended_by}}'),
      ),
      panel(
        'Callers who wait for a worker',
        'short',
        line('sum by (callfleet_pool) (callfleet_offers_waiting)', '{{callfleet_pool}}'),
      ),
      panel(
        'The oldest of them',
        'ms',
        line('max by (callfleet_pool) (callfleet_offers_oldest_wait)', '{{callfleet_pool}}'),
      ),
      panel('StasisStart to answer', 'ms', ...quantiles('callfleet_call_setup_duration')),
      panel('Wait for a worker', 'ms', ...quantiles('callfleet_offer_wait_duration')),
      panel(
        'Given back, taken over',
        'ops',
        line(
          'sum by (callfleet_reason) (rate(callfleet_calls_given_back_total[5m]))',
          'given back: {{callfleet_reason}}',
        ),
        line('sum(rate(callfleet_calls_taken_over_total[5m]))', 'taken over'),
      ),
      panel(
        'Missing at /readyz',
        'short',
        line(
          'count by (callfleet_check) (callfleet_service_check == 0) or 0 * count by (callfleet_check) (callfleet_service_check)',
          '{{callfleet_check}}',
        ),
      ),
      panel('Processes', 'short', line('count by (job) (up == 1)', '{{job}}')),
      panel(
        'Event loop, 99th percentile',
        's',
        line('max by (job, instance) (nodejs_eventloop_delay_p99)', '{{instance}}'),
      ),
    ],
  },
  {
    name: 'pbx',
    title: 'Callfleet: PBXs and gateways',
    panels: [
      panel(
        'State',
        'short',
        line(
          'max by (callfleet_pbx, callfleet_pbx_state) (callfleet_pbx_state) == 1',
          '{{callfleet_pbx}} {{callfleet_pbx_state}}',
        ),
      ),
      panel('Calls', 'short', line('sum by (callfleet_pbx) (callfleet_shard_calls)', '{{callfleet_pbx}}')),
      panel(
        'Event sockets that stand',
        'short',
        line('sum by (callfleet_pbx) (callfleet_shard_connected)', '{{callfleet_pbx}}'),
      ),
      panel(
        'Event sockets made again',
        'ops',
        line(
          'sum by (callfleet_pbx, callfleet_shard) (rate(callfleet_shard_reconnects_total[5m]))',
          '{{callfleet_pbx}} {{callfleet_shard}}',
        ),
      ),
      panel('Events are read late', 'ms', ...quantiles('callfleet_shard_socket_lag', 'callfleet_pbx')),
      panel(
        'Commands by route, 99th percentile',
        'ms',
        line(
          'histogram_quantile(0.99, sum by (http_request_method, http_route, le) (rate(callfleet_command_duration_bucket[5m])))',
          '{{http_request_method}} {{http_route}}',
        ),
      ),
      panel(
        'Commands by answer',
        'ops',
        line(
          'sum by (callfleet_status_class) (rate(callfleet_command_duration_count[5m]))',
          '{{callfleet_status_class}}',
        ),
      ),
      panel(
        'Commands refused',
        'ops',
        line('sum by (callfleet_code) (rate(callfleet_commands_refused_total[5m]))', '{{callfleet_code}}'),
      ),
      panel(
        'Commands that wait',
        'short',
        line('sum by (callfleet_pbx) (callfleet_commands_waiting)', '{{callfleet_pbx}}'),
      ),
      panel(
        'Open breakers',
        'short',
        line(
          'max by (callfleet_pbx, callfleet_command_class) (callfleet_breaker_open)',
          '{{callfleet_pbx}} {{callfleet_command_class}}',
        ),
      ),
      panel(
        'Events by type',
        'ops',
        line('sum by (callfleet_event_type) (rate(callfleet_events_published_total[5m]))', '{{callfleet_event_type}}'),
      ),
      panel(
        'Events held, on disk',
        'short',
        line('sum by (instance) (callfleet_events_held)', '{{instance}} held'),
        line('sum by (instance) (callfleet_spill_events)', '{{instance}} on disk'),
      ),
    ],
  },
  {
    name: 'worker',
    title: 'Callfleet: workers',
    panels: [
      panel('Calls', 'short', line('callfleet_worker_calls', '{{instance}}')),
      panel(
        'Offers pulled',
        'ops',
        line('sum by (callfleet_outcome) (rate(callfleet_offers_pulled_total[5m]))', '{{callfleet_outcome}}'),
      ),
      panel(
        'Calls ended, by program',
        'ops',
        line('sum by (callfleet_program) (rate(callfleet_calls_ended_total[5m]))', '{{callfleet_program}}'),
      ),
      panel(
        'Ended by an error',
        'percentunit',
        line(
          'sum by (callfleet_program) (rate(callfleet_calls_ended_total{callfleet_ended_by="error"}[5m])) / (sum by (callfleet_program) (rate(callfleet_calls_ended_total[5m])) > 0)',
          '{{callfleet_program}}',
        ),
      ),
      panel(
        'Calls that lost their worker',
        'ops',
        line(
          'sum by (callfleet_reason) (rate(callfleet_offers_filed_total{callfleet_reason!="new"}[5m]))',
          '{{callfleet_reason}}',
        ),
      ),
      panel(
        'A takeover takes',
        'ms',
        rare(
          'histogram_quantile(0.95, sum by (callfleet_reason, le) (rate(callfleet_offer_wait_duration_bucket{callfleet_reason!="new"}[5m])))',
          '{{callfleet_reason}} p95',
        ),
      ),
      panel('Event loop', 's', line('nodejs_eventloop_delay_p99{job="callfleet-worker"}', '{{instance}} p99')),
      panel(
        'Processor',
        'short',
        line('sum by (instance) (rate(process_cpu_time_total{job="callfleet-worker"}[5m]))', '{{instance}}'),
      ),
      panel(
        'Memory',
        'bytes',
        line('process_memory_usage{job="callfleet-worker"}', '{{instance}}'),
        line('v8js_memory_heap_used{job="callfleet-worker"}', '{{instance}} heap'),
      ),
    ],
  },
  {
    name: 'relay',
    title: 'Callfleet: relays',
    panels: [
      panel('Conversations', 'short', line('callfleet_relay_sessions', '{{instance}}')),
      panel('Room for more', 'short', line('callfleet_relay_room', '{{instance}}')),
      panel(
        'Ended, by why',
        'ops',
        line('sum by (callfleet_reason) (rate(callfleet_relay_sessions_ended_total[5m]))', '{{callfleet_reason}}'),
      ),
      panel(
        'Frames are sent late',
        'ms',
        line('callfleet_relay_pacing_error_p99', '{{instance}} p99'),
        line('callfleet_relay_pacing_error_max', '{{instance}} max'),
      ),
      panel('Frames that fell out', 'ops', line('rate(callfleet_relay_frames_skipped_total[5m])', '{{instance}}')),
      panel('Late', 'short', line('callfleet_relay_late', '{{instance}}')),
      panel('Event loop', 's', line('nodejs_eventloop_delay_p99{job="callfleet-relay"}', '{{instance}} p99')),
      panel(
        'Processor',
        'short',
        line('sum by (instance) (rate(process_cpu_time_total{job="callfleet-relay"}[5m]))', '{{instance}}'),
      ),
    ],
  },
  {
    name: 'ai-quality',
    title: 'Callfleet: voice AI',
    panels: [
      panel(
        'The caller has stopped, the bot begins',
        'ms',
        ...quantiles('callfleet_turn_latency', 'callfleet_provider'),
      ),
      panel(
        'The caller interrupts, the bot is silent',
        'ms',
        ...quantiles('callfleet_barge_in_duration', 'callfleet_provider'),
      ),
      panel(
        'Answers',
        'ops',
        line('sum by (callfleet_provider) (rate(callfleet_turn_latency_count[5m]))', '{{callfleet_provider}}'),
      ),
      panel(
        'Interruptions for each answer',
        'short',
        line(
          'sum by (callfleet_provider) (rate(callfleet_barge_in_duration_count[5m])) / sum by (callfleet_provider) (rate(callfleet_turn_latency_count[5m]))',
          '{{callfleet_provider}}',
        ),
      ),
      panel(
        'Failures',
        'ops',
        line(
          'sum by (callfleet_provider, callfleet_code) (rate(callfleet_ai_errors_total[5m]))',
          '{{callfleet_provider}} {{callfleet_code}}',
        ),
      ),
      panel(
        'Tool calls',
        'ops',
        line('sum(rate(callfleet_events_published_total{callfleet_event_type="media.tool-call"}[5m]))', 'tool calls'),
      ),
    ],
  },
];
