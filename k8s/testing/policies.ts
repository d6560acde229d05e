import { isWorkload, type KubernetesObject, nameOf, selects, type Workload } from './kubernetes-object.ts';

/** @returns what breaks it, in words; nothing: it holds */
type Policy = (objects: readonly KubernetesObject[]) => string[];

// biome-ignore lint/suspicious/noExplicitAny: a container as the manifest has it
type Container = any;

/** What every overlay must hold, by name. */
export const POLICIES = {
  'pods run as a user that is not root': podsWith(
    ({ securityContext: of }) => of?.runAsNonRoot === true && of.runAsUser > 0 && of.runAsGroup > 0,
  ),
  'pods have the default seccomp profile': podsWith(
    ({ securityContext: of }) => of?.seccompProfile?.type === 'RuntimeDefault',
  ),
  'pods get no token of Kubernetes': podsWith((pod) => pod.automountServiceAccountToken === false),
  'pods are on no host: no hostPath, no other namespace of the host than the named network': (objects) =>
    each(objects, ({ spec }) => {
      const pod = spec.template.spec;
      // overlays/edge, by components/relay-host-network.
      const isNamed = spec.template.metadata.labels['callfleet-zone'] === 'branch';
      return (
        !pod.hostPID &&
        !pod.hostIPC &&
        (!pod.hostNetwork || isNamed) &&
        (pod.volumes ?? []).every((volume: object) => !('hostPath' in volume))
      );
    }),
  'containers cannot get more rights than they have': containersWith(
    ({ securityContext: of }) => of?.allowPrivilegeEscalation === false && of.privileged !== true,
  ),
  'containers have no capabilities': containersWith(({ securityContext: { capabilities } = {} as Container }) => {
    return capabilities?.drop?.includes('ALL') && capabilities.add === undefined;
  }),
  'containers cannot write to their image': containersWith(({ securityContext: of }) => of?.readOnlyRootFilesystem),
  'containers have requests and limits': containersWith(({ resources: { requests, limits } = {} as Container }) =>
    ['cpu', 'memory', 'ephemeral-storage'].every((what) => requests?.[what] && limits?.[what]),
  ),
  'containers have probes': containersWith(({ livenessProbe, readinessProbe }) => livenessProbe && readinessProbe),
  'probes and services name ports that are there': (objects) => [
    ...containersWith(({ ports, livenessProbe, readinessProbe }) =>
      [livenessProbe, readinessProbe].every((probe) => hasPort(ports, (probe?.httpGet ?? probe?.tcpSocket)?.port)),
    )(objects),
    ...objects
      .filter(({ kind }) => kind === 'Service')
      .filter(({ spec }) => {
        const ports = podsOf(objects, { matchLabels: spec.selector }).flatMap(({ spec }) =>
          spec.template.spec.containers.flatMap((container: Container) => container.ports),
        );
        return !spec.ports.every(({ targetPort }: { targetPort: string }) => hasPort(ports, targetPort));
      })
      .map(nameOf),
  ],
  'images have a version': containersWith(({ image }) => /:[^:/]+$/.test(image) && !image.endsWith(':latest')),
  'mounts are of volumes that are there, and volumes are mounted': (objects) =>
    each(objects, ({ spec }) => {
      const { containers, volumes = [] } = spec.template.spec;
      const mounted = containers.flatMap(({ volumeMounts = [] }: Container) =>
        volumeMounts.map(({ name }: Container) => name),
      );
      return equalSets(
        mounted,
        volumes.map(({ name }: Container) => name),
      );
    }),
  'volumes of files that change are folders, so that they are followed': containersWith(({ volumeMounts = [] }) =>
    volumeMounts.every((mount: object) => !('subPath' in mount)),
  ),
  'selectors take their own pods, and no others': (objects) =>
    each(objects, (workload) => {
      const taken = podsOf(objects, workload.spec.selector);
      return taken.length === 1 && taken[0] === workload;
    }),
  'pods are spread over nodes by their own labels': (objects) =>
    each(objects, ({ metadata, spec }) => {
      if (!('app.kubernetes.io/part-of' in (metadata.labels ?? {}))) return true;
      const spreads = spec.template.spec.topologySpreadConstraints ?? [];
      const ownPods = (constraint: Container) => equalLabels(constraint.labelSelector, spec.selector);
      return (
        spreads.some(({ topologyKey }: Container) => topologyKey === 'kubernetes.io/hostname') && spreads.every(ownPods)
      );
    }),
  'each deployment has one disruption budget of its own, which lets a node be drained': (objects) =>
    each(objects, (workload) => {
      const budgets = objects.filter(({ kind, spec }) => {
        return kind === 'PodDisruptionBudget' && podsOf(objects, spec.selector).includes(workload);
      });
      const [budget] = budgets;
      return (
        budgets.length === 1 && budget?.spec.maxUnavailable === 1 && podsOf(objects, budget.spec.selector).length === 1
      );
    }),
  'what no policy allows is refused, both ways': (objects) => {
    const all = objects.find(
      ({ kind, spec }) =>
        kind === 'NetworkPolicy' && equalLabels(spec.podSelector, {}) && !spec.ingress && !spec.egress,
    );
    return equalSets(all?.spec.policyTypes ?? [], ['Ingress', 'Egress']) ? [] : ['no NetworkPolicy refuses the rest'];
  },
  'network policies are of pods that are there': (objects) =>
    objects
      .filter(({ kind, spec }) => kind === 'NetworkPolicy' && podsOf(objects, spec.podSelector).length === 0)
      .map(nameOf),
  'network policies name a peer and ports': (objects) =>
    objects
      .filter(({ kind }) => kind === 'NetworkPolicy')
      .filter(({ spec }) => {
        const rules = [...(spec.ingress ?? []), ...(spec.egress ?? [])];
        return !rules.every(({ from, to, ports }) => (from ?? to)?.length > 0 && ports?.length > 0);
      })
      .map(nameOf),
  'only gateways and workers reach Redis, only gateways the PBXs, and only relays the internet': (objects) =>
    objects.filter(isWorkload).flatMap((workload) => {
      const { labels } = workload.spec.template.metadata;
      const component = labels['app.kubernetes.io/component'];
      const reached = objects
        .filter(({ kind, spec }) => kind === 'NetworkPolicy' && selects(spec.podSelector, labels))
        .flatMap(({ spec }) => spec.egress ?? [])
        .flatMap(({ ports }) => ports.map(({ port }: { port: number }) => port)) as number[];
      const wrong = reached.filter((port) => !(MAY_REACH[component ?? ''] ?? []).includes(port));
      return wrong.map((port) => `${nameOf(workload)} reaches port ${port}`);
    }),
  'secrets are referred to, never written': (objects) => [
    ...objects.filter(({ kind }) => kind === 'Secret').map(nameOf),
    ...objects.filter(({ kind, data }) => kind === 'ConfigMap' && hasSecret(Object.values(data ?? {}))).map(nameOf),
    ...containersWith(({ env = [] }) =>
      env.every(({ name, value }: Container) => value === undefined || !/PASSWORD|TOKEN|SECRET|_KEY$/.test(name)),
    )(objects),
  ],
  'the workers have one autoscaler': (objects) => {
    const scalers = objects.filter(({ kind }) => ['ScaledObject', 'HorizontalPodAutoscaler'].includes(kind));
    const wrong = scalers.filter(({ spec }) => {
      const target = objects.find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name === spec.scaleTargetRef.name,
      );
      // A number in the manifest would undo the autoscaler's with each apply.
      return !target || target.spec.replicas !== undefined;
    });
    return [...wrong, ...scalers.slice(1)].map(nameOf);
  },
} satisfies Record<string, Policy>;

/** Ports that each service may reach: DNS, NATS, Redis, the PBXs' HTTP and audio, the voice AIs. */
const MAY_REACH: Readonly<Record<string, readonly number[]>> = {
  gateway: [53, 4222, 6379, 8088],
  worker: [53, 4222, 6379],
  relay: [53, 4222, 443, 8088, 1024],
};

function podsWith(isRight: (pod: Container) => unknown): Policy {
  return (objects) => each(objects, ({ spec }) => isRight(spec.template.spec));
}

function containersWith(isRight: (container: Container) => unknown): Policy {
  return (objects) =>
    each(objects, ({ spec: { template } }) => {
      return [...template.spec.containers, ...(template.spec.initContainers ?? [])].every(isRight);
    });
}

function each(objects: readonly KubernetesObject[], isRight: (workload: Workload) => unknown): string[] {
  return objects
    .filter(isWorkload)
    .filter((workload) => !isRight(workload))
    .map(nameOf);
}

function podsOf(objects: readonly KubernetesObject[], selector: Workload['spec']['selector']): Workload[] {
  return objects.filter(isWorkload).filter(({ spec }) => selects(selector, spec.template.metadata.labels));
}

function hasPort(ports: readonly { name: string }[] | undefined, wanted: string): boolean {
  return (ports ?? []).some(({ name }) => name === wanted);
}

/** A password that is not `${...}`, as a value of its own or in a URL. */
function hasSecret(texts: readonly string[]): boolean {
  return texts.some(
    (text) => /(password|token):\s*(?!\$\{)[^\s,}]/.test(text) || /:\/\/[^\s/]*:(?!\$\{)[^\s/@]+@/.test(text),
  );
}

function equalSets(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).size === new Set([...a, ...b]).size && new Set(b).size === new Set(a).size;
}

function equalLabels(a: Workload['spec']['selector'], b: Workload['spec']['selector']): boolean {
  return (
    JSON.stringify(Object.entries(a.matchLabels ?? {}).sort()) ===
      JSON.stringify(Object.entries(b.matchLabels ?? {}).sort()) && !a.matchExpressions
  );
}
