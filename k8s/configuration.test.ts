import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '@callfleet/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE_ENV, IMAGE_USER } from './testing/image.ts';
import { type KubernetesObject, selects } from './testing/kubernetes-object.ts';
import { OVERLAYS, overlayFolder, render } from './testing/kustomize.ts';
import { SERVICES, type ServiceName, stopLimitMs } from './testing/stop-limits.ts';

const ROOT = join(import.meta.dirname, '..');
const MIB = 1024 * 1024;

// biome-ignore lint/suspicious/noExplicitAny: as the manifests have it
type Any = any;

/** What the downward API would say. */
const POD: Readonly<Record<string, string>> = {
  'metadata.name': 'pod-x7k2p',
  'status.podIP': '10.244.1.7',
  'status.hostIP': '10.20.0.9',
};

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  const objects = render(overlayFolder(overlay));
  const services = Object.keys(SERVICES).flatMap((component) =>
    objects
      .filter(({ kind, spec }) => {
        return kind === 'Deployment' && spec.template.metadata.labels['app.kubernetes.io/component'] === component;
      })
      .map(({ metadata, spec }) => ({ name: metadata.name, service: component as ServiceName, spec: spec as Any })),
  );
  const folder = mkdtempSync(join(tmpdir(), 'callfleet-k8s-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** As a pod has it: the ConfigMap and the secrets as folders, the image's environment and the container's. */
  function configOf({ template }: { template: Any }): Config {
    const service = template.metadata.labels['app.kubernetes.io/component'] as ServiceName;
    const [container] = template.spec.containers;
    const env = Object.fromEntries(
      container.env.map(({ name, value, valueFrom }: Any) => [
        name,
        value ?? fieldOf(template, valueFrom.fieldRef.fieldPath),
      ]),
    );
    expect(env.CALLFLEET_CONFIG).toBe('/etc/callfleet/config/callfleet.yaml');
    const file = join(folder, 'config/callfleet.yaml');
    return loadConfig({ file, env: { ...IMAGE_ENV, ...env }, service });
  }

  beforeAll(() => {
    const { data = {} } = objects.find(({ kind }) => kind === 'ConfigMap') as KubernetesObject;
    mkdirSync(join(folder, 'config'));
    mkdirSync(join(folder, 'secrets'));
    for (const [name, text] of Object.entries(data)) {
      writeFileSync(join(folder, 'config', name), text);
      for (const secret of Object.keys(SERVICES).flatMap((service) => secretsIn(text, service)))
        writeFileSync(join(folder, 'secrets', secret), 'secret\n');
    }
  });

  it('has all three services', () => {
    expect(new Set(services.map(({ service }) => service))).toEqual(new Set(Object.keys(SERVICES)));
  });

  describe.each(services)('$name', ({ service, spec }) => {
    const pod = spec.template.spec;
    const [container] = pod.containers;

    it('is started with a configuration that it accepts', () => {
      const config = configOf(spec);
      expect(container.args).toEqual([`services/${SERVICES[service]}/src/main.ts`]);
      expect(existsSync(join(ROOT, container.args[0]))).toBe(true);
      for (const { file } of config.programs) expect(existsSync(file.replace('/app', ROOT)), file).toBe(true);
    });

    it('has a Secret of its own, and needs nothing of another’s', () => {
      const { secret } = pod.volumes.find(({ name }: Any) => name === 'secrets');
      expect(secret.secretName).toBe(`callfleet-${service}`);
      const all = readdirSync(join(folder, 'secrets'));
      const own = all.filter((name) => (service === 'gateway' ? !/worker|relay/.test(name) : name.includes(service)));
      for (const name of all) if (!own.includes(name)) rmSync(join(folder, 'secrets', name));
      try {
        const { nats } = configOf(spec);
        if (nats.nkeyFile) expect(nats.nkeyFile).toBe(join(folder, `secrets/nats-${service}.nk`));
      } finally {
        for (const name of all) writeFileSync(join(folder, 'secrets', name), 'secret\n');
      }
    });

    it('answers probes where they ask', () => {
      const { http } = configOf(spec).telemetry;
      expect(http).toEqual({ host: '0.0.0.0', port: container.ports[0].containerPort });
      expect(container.livenessProbe.httpGet).toEqual({ path: '/livez', port: 'http' });
      expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' });
    });

    it('runs as the image’s user', () => {
      expect(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`).toBe(IMAGE_USER);
    });

    it('is given the time to stop that it may take', () => {
      const preStopMs = (container.lifecycle?.preStop.sleep.seconds ?? 0) * 1000;
      expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(
        preStopMs + stopLimitMs(service, configOf(spec)),
      );
    });

    it('has room for the events that it may hold', () => {
      if (service === 'worker') return;
      const { spillFolder, maxSpillBytes } = configOf(spec)[service];
      const { name } = container.volumeMounts.find(({ mountPath }: Any) => mountPath === spillFolder);
      const { emptyDir } = pod.volumes.find((volume: Any) => volume.name === name);
      expect(mebibytes(emptyDir.sizeLimit) * MIB).toBeGreaterThan(maxSpillBytes);
      expect(mebibytes(container.resources.limits['ephemeral-storage'])).toBeGreaterThan(mebibytes(emptyDir.sizeLimit));
    });

    it('may have the memory that its configuration lets it take', () => {
      const { worker } = configOf(spec);
      const limit = mebibytes(container.resources.limits.memory);
      if (service === 'worker') expect(limit).toBeGreaterThan(256 + worker.programThreads * worker.programMemoryMb);
      else expect(limit).toBeGreaterThanOrEqual(512);
    });

    it('is allowed to reach NATS, Redis and the PBXs, and to be reached by them', () => {
      const config = configOf(spec);
      const may = (direction: 'ingress' | 'egress', protocol: string, port: number) => {
        const policies = objects.filter(({ kind, spec: policy }) => {
          return kind === 'NetworkPolicy' && selects(policy.podSelector, spec.template.metadata.labels);
        });
        const ports = policies
          .flatMap(({ spec: policy }) => policy[direction] ?? [])
          .flatMap((rule: Any) => rule.ports);
        return ports.some((of: Any) => of.protocol === protocol && of.port <= port && port <= (of.endPort ?? of.port));
      };
      for (const server of config.nats.servers) expect(may('egress', 'TCP', portOf(server))).toBe(true);
      if (service !== 'relay') expect(may('egress', 'TCP', portOf(config.redis.url))).toBe(true);
      if (service === 'gateway')
        for (const { mode, url } of config.pbxs)
          if (mode === 'outbound') expect(may('ingress', 'TCP', config.gateway.listen?.port as number)).toBe(true);
          else expect(may('egress', 'TCP', portOf(url as string))).toBe(true);
      if (service === 'relay' && !pod.hostNetwork)
        for (const port of [config.relay.rtp.portMin, config.relay.rtp.portMax])
          expect(may('ingress', 'UDP', port)).toBe(true);
    });

    if (service === 'relay')
      it('tells PBXs its own address, and is of the zone of its label', () => {
        const { rtp, audiosocket, zone } = configOf(spec).relay;
        const address = pod.hostNetwork ? POD['status.hostIP'] : POD['status.podIP'];
        expect([rtp.advertisedAddress, audiosocket.advertisedAddress]).toEqual([address, address]);
        expect(zone).toBe(spec.template.metadata.labels['callfleet-zone']);
        if (pod.nodeSelector) expect(pod.nodeSelector['callfleet-zone']).toBe(zone);
      });

    if (service === 'gateway')
      it('listens where its Service sends the PBXs that dial in', () => {
        const { listen } = configOf(spec).gateway;
        const [way] = objects.filter(({ kind, metadata }) => kind === 'Service' && metadata.name === 'gateways');
        expect(way?.spec.ports[0].port).toBe(listen?.port);
        if (!listen) return;
        expect(container.ports).toContainEqual({ name: 'ari', containerPort: listen.port });
        const mounts = container.volumeMounts.map(({ mountPath }: Any) => `${mountPath}/tls.crt`);
        expect(mounts).toContain(listen.tls?.certFile);
      });
  });

  it('has relays in each zone that has PBXs', () => {
    const [gateway] = services;
    const zones = services.filter(({ service }) => service === 'relay').map(({ spec }) => configOf(spec).relay.zone);
    for (const { zone } of configOf(gateway?.spec).pbxs) expect(zones).toContain(zone);
  });

  it('scales workers before they are full, by the offers of their own pool', () => {
    const scaler = objects.find(({ kind }) => ['ScaledObject', 'HorizontalPodAutoscaler'].includes(kind));
    if (!scaler) return;
    const { worker } = configOf(services.find(({ service }) => service === 'worker')?.spec);
    const [calls, offers] = scaler.spec.triggers ?? [];
    const aim = calls?.metadata.threshold ?? scaler.spec.metrics[0].pods.target.averageValue;
    expect(Number(aim)).toBeLessThanOrEqual(worker.maxCalls * 0.8);
    const metric = JSON.stringify(scaler.spec).match(/callfleet_\w+/)?.[0] as string;
    expect(readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8')).toContain(`\`${metric.replaceAll('_', '.')}\``);
    if (!offers) return;
    expect(offers.metadata).toMatchObject({ stream: 'OFFERS', consumer: `cf-offer-${worker.pool}` });
  });

  it('takes a source that is down for unknown, not for nothing to do', () => {
    const scaled = objects.find(({ kind }) => kind === 'ScaledObject');
    if (!scaled) return;
    for (const { type, metadata } of scaled.spec.triggers)
      if (type === 'prometheus') expect(metadata.ignoreNullValues).toBe('false');
    expect(scaled.spec.fallback).toBeUndefined();
    expect(scaled.spec.minReplicaCount).toBeGreaterThan(0);
  });
});

/** The keys of the Secret that a service's configuration is read from. */
function secretsIn(text: string, service: string): string[] {
  return [...text.replaceAll('${service}', service).matchAll(/\$\{file:\.\.\/secrets\/([^}]+)\}/g)].map(
    ([, name = '']) => name,
  );
}

function fieldOf(template: Any, path: string): string {
  const [, label] = /^metadata\.labels\['(.*)'\]$/.exec(path) ?? [];
  const value = label === undefined ? POD[path] : template.metadata.labels[label];
  if (value === undefined) throw new Error(`no pod has ${path}`);
  return value;
}

/** Of `host:port` or a URL. */
function portOf(address: string): number {
  return Number(/:(\d+)(\/|$)/.exec(address)?.[1]);
}

/** Of `512Mi`, `2Gi`. */
function mebibytes(quantity: string): number {
  const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  if (!number) throw new Error(`how much is ${quantity}?`);
  return Number(number) * (unit === 'Gi' ? 1024 : 1);
}
