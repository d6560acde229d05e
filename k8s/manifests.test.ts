import { describe, expect, it } from 'vitest';
import { ApiTypes, VERSIONS } from './testing/api-types.ts';
import { type KubernetesObject, nameOf } from './testing/kubernetes-object.ts';
import { OVERLAYS, overlayFolder, render, renderWithKustomize } from './testing/kustomize.ts';

const types = VERSIONS.map((version) => ({ version, of: new ApiTypes(version) }));

it('there are types of two Kubernetes versions', () => {
  expect(VERSIONS).toEqual(['1.34', '1.36']);
});

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  const objects = render(overlayFolder(overlay));

  it.each(types)('has nothing that Kubernetes $version does not know', ({ of }) => {
    const problems = objects.flatMap((object) =>
      of.problemsOf(object).map((problem) => `${nameOf(object)}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  it('has each object once, all in its namespace', () => {
    expect(new Set(objects.map(nameOf)).size).toBe(objects.length);
    for (const object of objects)
      if (object.kind !== 'Namespace') expect(object.metadata.namespace, nameOf(object)).toBe('callfleet');
  });

  it('is rendered here as kustomize renders it', ({ skip }) => {
    const real = renderWithKustomize(overlayFolder(overlay));
    if (!real) return skip('neither kustomize nor kubectl is on PATH: rendered by testing/kustomize.ts alone');
    expect(canonical(objects)).toEqual(canonical(real));
  });
});

describe.each(types)('a wrong manifest, Kubernetes $version', ({ of }) => {
  const [gateway] = render(overlayFolder('prod')).filter(({ metadata }) => metadata.name === 'gateway');
  const broken = (breakIt: (object: KubernetesObject) => void) => {
    const copy = structuredClone(gateway as KubernetesObject);
    breakIt(copy);
    return of.problemsOf(copy);
  };

  it('is refused when a field has another type', () => {
    expect(broken(({ spec }) => Object.assign(spec, { replicas: 'three' }))).toEqual([
      '/spec/replicas must be integer',
    ]);
  });

  it('is refused when a field is misspelt', () => {
    expect(broken(({ spec }) => Object.assign(spec.template.spec, { terminationGraceSeconds: 60 }))).toEqual([
      '/spec/template/spec must NOT have additional properties terminationGraceSeconds',
    ]);
  });

  it('is refused when a field is missing', () => {
    expect(broken(({ spec }) => delete spec.selector)).toEqual(["/spec must have required property 'selector'"]);
  });

  it('is refused when there is no such kind', () => {
    expect(of.problemsOf({ ...(gateway as KubernetesObject), apiVersion: 'extensions/v1beta1' })).toEqual([
      'there is no extensions/v1beta1 Deployment',
    ]);
  });
});

/** Without the order of objects, and of list items that have a name. */
function canonical(objects: readonly KubernetesObject[]): Record<string, unknown> {
  return Object.fromEntries(objects.map((object) => [nameOf(object), sorted(object)]));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(sorted);
    const isNamed = items.every((item) => typeof item === 'object' && item !== null && 'name' in item);
    return isNamed ? (items as { name: string }[]).toSorted((a, b) => (a.name < b.name ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)]));
}
