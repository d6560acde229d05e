/** Any object of Kubernetes, as it is in a manifest. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own; api-types.ts says which fields there are
  spec?: any;
  data?: Record<string, string>;
}

export interface Workload extends KubernetesObject {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly spec: { replicas?: number; selector: Selector; template: { metadata: { labels: Labels }; spec: any } };
}

export type Labels = Record<string, string>;

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { key: string; operator: string; values: readonly string[] }[];
}

/** `Deployment gateway`: for messages. */
export function nameOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.name}`;
}

export function isWorkload(object: KubernetesObject): object is Workload {
  return ['Deployment', 'DaemonSet', 'StatefulSet'].includes(object.kind);
}

/** Whether a selector takes pods with these labels; with the operator `In` alone. */
export function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => operator === 'In' && values.includes(labels[key] as string))
  );
}
