/** Of k6's own modules, what the load test uses: k6 brings them, no package of npm does. https://grafana.com/docs/k6/latest/javascript-api */
declare module 'k6' {
  export function sleep(seconds: number): void;
}

declare module 'k6/execution' {
  const exec: { readonly scenario: { readonly iterationInTest: number } };
  export default exec;
}

declare module 'k6/http' {
  interface Response {
    readonly status: number;
    readonly body: string;
    json(): unknown;
  }
  interface Params {
    readonly timeout?: string;
    readonly responseType?: 'text';
  }
  const http: {
    get(url: string, params?: Params): Response;
    post(url: string, body: string, params?: Params): Response;
    put(url: string, body: string, params?: Params): Response;
  };
  export default http;
}

declare module 'k6/metrics' {
  export class Counter {
    constructor(name: string);
    add(value: number): void;
  }
  export class Rate {
    constructor(name: string);
    add(value: boolean): void;
  }
  export class Trend {
    constructor(name: string, isTime?: boolean);
    add(value: number): void;
  }
}

/** Set by the command line. */
declare const __ENV: Readonly<Record<'SCENARIO' | 'PBXS' | 'DESK_URL' | 'SUMMARY_FILE', string>>;
