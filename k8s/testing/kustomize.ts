import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '@callfleet/supervise';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './kubernetes-object.ts';
import { mergeStrategically } from './strategic-merge.ts';

/** What of a kustomization.yaml our manifests use; {@link render} refuses the rest. */
interface Kustomization {
  apiVersion: string;
  kind: 'Kustomization' | 'Component';
  resources?: string[];
  components?: string[];
  patches?: { path: string }[];
  namespace?: string;
  nameSuffix?: string;
  labels?: { pairs: Record<string, string>; includeSelectors: true }[];
  images?: { name: string; newName?: string; newTag?: string }[];
  generatorOptions?: { disableNameSuffixHash: true };
  configMapGenerator?: { name: string; files: string[] }[];
}

const KNOWN = [
  'apiVersion',
  'kind',
  'resources',
  'components',
  'patches',
  'namespace',
  'nameSuffix',
  'labels',
  'images',
  'generatorOptions',
  'configMapGenerator',
];

export const OVERLAYS = readdirSync(join(import.meta.dirname, '../overlays'));

export function overlayFolder(name: string): string {
  return join(import.meta.dirname, '../overlays', name);
}

/** What `kubectl kustomize` makes of a folder, without it: so that manifests are tested on any machine. */
export function render(folder: string): KubernetesObject[] {
  return apply(folder, []);
}

/** The same by the real one; undefined: neither `kustomize` nor `kubectl` is on PATH. */
export function renderWithKustomize(folder: string): KubernetesObject[] | undefined {
  const command = findProgram('kustomize') ? ['kustomize', 'build'] : ['kubectl', 'kustomize'];
  const [program = '', verb = ''] = command;
  if (!findProgram(program)) return undefined;
  return objectsOf(execFileSync(program, [verb, folder], { encoding: 'utf8', timeout: 60_000 }));
}

/** @param given what a component is laid over */
function apply(folder: string, given: KubernetesObject[]): KubernetesObject[] {
  const [kustomization] = documentsOf(join(folder, 'kustomization.yaml')) as [Kustomization];
  const unknown = Object.keys(kustomization).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0)
    throw new Error(`${folder}: kustomization.yaml has ${unknown}, which this renderer does not know`);

  let objects = [...given, ...(kustomization.resources ?? []).flatMap((path) => load(join(folder, path)))];
  for (const { name, files } of kustomization.configMapGenerator ?? []) {
    if (!kustomization.generatorOptions?.disableNameSuffixHash) throw new Error(`${folder}: ${name} would get a hash`);
    const data = Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
    objects.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
  }
  for (const path of kustomization.components ?? []) objects = apply(join(folder, path), objects);
  for (const { path } of kustomization.patches ?? [])
    for (const patch of objectsOf(readFileSync(join(folder, path), 'utf8'))) {
      const at = objects.findIndex(
        ({ kind, metadata }) => kind === patch.kind && metadata.name === patch.metadata.name,
      );
      if (at < 0)
        throw new Error(`${folder}: ${path} patches ${patch.kind} ${patch.metadata.name}, which is not there`);
      objects[at] = mergeStrategically(objects[at], patch) as KubernetesObject;
    }
  for (const object of objects) transform(object, kustomization);
  return objects;
}

function load(path: string): KubernetesObject[] {
  return statSync(path).isDirectory() ? render(path) : objectsOf(readFileSync(path, 'utf8'));
}

function transform(
  object: KubernetesObject,
  { namespace, nameSuffix = '', labels = [], images = [] }: Kustomization,
): void {
  if (namespace !== undefined)
    if (object.kind === 'Namespace') object.metadata.name = namespace;
    else object.metadata.namespace = namespace;
  object.metadata.name += nameSuffix;
  const { template } = object.spec ?? {};
  for (const { pairs } of labels) {
    object.metadata.labels = { ...object.metadata.labels, ...pairs };
    const spreads = (template?.spec.topologySpreadConstraints ?? []) as { labelSelector: object }[];
    for (const selector of [object.spec?.selector, ...spreads.map(({ labelSelector }) => labelSelector)])
      if (selector) selector.matchLabels = { ...selector.matchLabels, ...pairs };
    if (template) template.metadata.labels = { ...template.metadata.labels, ...pairs };
  }
  for (const container of template?.spec.containers ?? [])
    for (const { name, newName = name, newTag } of images)
      if (container.image === name) container.image = newTag === undefined ? newName : `${newName}:${newTag}`;
}

function objectsOf(yaml: string): KubernetesObject[] {
  // 1.1, as Kubernetes reads it: 0440 is octal.
  const documents = parseAllDocuments(yaml, { version: '1.1' });
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as KubernetesObject;
  });
}

function documentsOf(file: string): unknown[] {
  return objectsOf(readFileSync(file, 'utf8'));
}
