import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from './testing/kubernetes-object.ts';
import { OVERLAYS, overlayFolder, render } from './testing/kustomize.ts';
import { POLICIES } from './testing/policies.ts';

const policies = Object.entries(POLICIES);

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  const objects = render(overlayFolder(overlay));
  it.each(policies)('%s', (_, violations) => expect(violations(objects)).toEqual([]));
});

// biome-ignore lint/suspicious/noExplicitAny: whatever is to be broken
type Any = any;

/** How each policy may be broken in the production overlay: a policy that holds all the same is of no use. */
const BREAKS: Record<keyof typeof POLICIES, (all: KubernetesObject[]) => void> = {
  'pods run as a user that is not root': (all) => Object.assign(podOf(all).securityContext, { runAsUser: 0 }),
  'pods have the default seccomp profile': (all) => delete podOf(all).securityContext.seccompProfile,
  'pods get no token of Kubernetes': (all) => delete podOf(all).automountServiceAccountToken,
  'pods are on no host: no hostPath, no other namespace of the host than the named network': (all) =>
    Object.assign(podOf(all), { hostNetwork: true }),
  'containers cannot get more rights than they have': (all) =>
    delete containerOf(all).securityContext.allowPrivilegeEscalation,
  'containers have no capabilities': (all) =>
    Object.assign(containerOf(all).securityContext.capabilities, { add: ['NET_ADMIN'] }),
  'containers cannot write to their image': (all) => delete containerOf(all).securityContext.readOnlyRootFilesystem,
  'containers have requests and limits': (all) => delete containerOf(all).resources.limits.memory,
  'containers have probes': (all) => delete containerOf(all).livenessProbe,
  'probes and services name ports that are there': (all) =>
    Object.assign(containerOf(all).readinessProbe.httpGet, { port: 'metrics' }),
  'images have a version': (all) => Object.assign(containerOf(all), { image: 'registry.example.net:5000/callfleet' }),
  'mounts are of volumes that are there, and volumes are mounted': (all) => podOf(all).volumes.pop(),
  'volumes of files that change are folders, so that they are followed': (all) =>
    Object.assign(containerOf(all).volumeMounts[0], { subPath: 'callfleet.yaml' }),
  'selectors take their own pods, and no others': (all) =>
    delete named(all, 'Deployment', 'relay-zone-a').spec.selector.matchLabels['callfleet-zone'],
  'pods are spread over nodes by their own labels': (all) => delete podOf(all).topologySpreadConstraints,
  'each deployment has one disruption budget of its own, which lets a node be drained': (all) =>
    Object.assign(named(all, 'PodDisruptionBudget', 'gateway').spec, { maxUnavailable: 0 }),
  'what no policy allows is refused, both ways': (all) =>
    named(all, 'NetworkPolicy', 'nothing-else').spec.policyTypes.pop(),
  'network policies are of pods that are there': (all) =>
    Object.assign(named(all, 'NetworkPolicy', 'all-to-dns').spec.podSelector.matchLabels, { is: 'nobody' }),
  'network policies name a peer and ports': (all) => delete named(all, 'NetworkPolicy', 'all-to-dns').spec.egress[0].to,
  'only gateways and workers reach Redis, only gateways the PBXs, and only relays the internet': (all) =>
    delete named(all, 'NetworkPolicy', 'gateways-and-workers-to-redis').spec.podSelector.matchExpressions,
  'secrets are referred to, never written': (all) => {
    const { data } = named(all, 'ConfigMap', 'callfleet-config');
    data['callfleet.yaml'] = data['callfleet.yaml'].replace('${file:../secrets/redis-${service}-password}', 'hunter2');
  },
  'the workers have one autoscaler': (all) => Object.assign(named(all, 'Deployment', 'worker').spec, { replicas: 3 }),
};

describe('a manifest is refused when it is not so that', () => {
  it.each(policies)('%s', (name, violations) => {
    const objects = render(overlayFolder('prod'));
    BREAKS[name as keyof typeof POLICIES](objects);
    expect(violations(objects)).not.toEqual([]);
  });
});

function named(all: readonly KubernetesObject[], kind: string, name: string): Any {
  const found = all.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

function podOf(all: readonly KubernetesObject[]): Any {
  return named(all, 'Deployment', 'gateway').spec.template.spec;
}

function containerOf(all: readonly KubernetesObject[]): Any {
  return podOf(all).containers[0];
}
