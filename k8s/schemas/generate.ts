// Makes the schemas beside it from Kubernetes's own API document, and from the CRDs of KEDA and of prometheus-operator, as their
// Go modules have them: `npm run generate:k8s`. Needs Go, and no cluster.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

type Schema = { [key: string]: unknown };

const KUBERNETES = ['v1.34.4', 'v1.36.3'];
/** What the manifests are made of, and what operators add most likely. */
const KINDS = [
  'ConfigMap',
  'DaemonSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'Namespace',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Secret',
  'Service',
  'ServiceAccount',
];
const CRDS = [
  {
    module: 'github.com/kedacore/keda/v2',
    version: 'v2.21.0',
    file: 'config/crd/bases/keda.sh_scaledobjects.yaml',
    to: 'keda-2.21.json',
  },
  {
    module: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
    file: 'example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml',
    to: 'prometheus-operator-0.85.json',
  },
];

for (const version of KUBERNETES) {
  const file = join(moduleFolder('k8s.io/kubernetes', version), 'api/openapi-spec/swagger.json');
  const { definitions } = JSON.parse(readFileSync(file, 'utf8')) as { definitions: Record<string, Schema> };
  const kinds: Record<string, string> = {};
  for (const [name, definition] of Object.entries(definitions)) {
    const [of, ...others] = (definition['x-kubernetes-group-version-kind'] ?? []) as Record<string, string>[];
    if (!of || others.length > 0 || !KINDS.includes(of.kind as string)) continue;
    kinds[`${of.group ? `${of.group}/` : ''}${of.version} ${of.kind}`] = name;
  }
  const used: Record<string, Schema> = {};
  const use = (name: string) => {
    if (name in used) return;
    used[name] = strict(definitions[name] as Schema);
    for (const [, to] of JSON.stringify(used[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) use(to as string);
  };
  for (const name of Object.values(kinds)) use(name);
  write(`kubernetes-${version.replace(/^v|\.\d+$/g, '')}.json`, kinds, used);
}

for (const { module, version, file, to } of CRDS) {
  const { spec } = parse(readFileSync(join(moduleFolder(module, version), file), 'utf8')) as {
    spec: { group: string; names: { kind: string }; versions: { name: string; schema: { openAPIV3Schema: Schema } }[] };
  };
  const { kind } = spec.names;
  for (const { name, schema } of spec.versions)
    write(to, { [`${spec.group}/${name} ${kind}`]: kind }, { [kind]: strict(schema.openAPIV3Schema) });
}

function moduleFolder(module: string, version: string): string {
  const cwd = mkdtempSync(join(tmpdir(), 'callfleet-go-'));
  const told = execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], { cwd, encoding: 'utf8' });
  return (JSON.parse(told) as { Dir: string }).Dir;
}

/** As a JSON schema that refuses what the API server would drop: fields that the type does not have. */
function strict(schema: Schema): Schema {
  const result: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (['description', 'default', 'format', 'nullable', 'externalDocs'].includes(key) || key.startsWith('x-'))
      continue;
    if (key === 'properties' || key === 'patternProperties')
      result[key] = Object.fromEntries(
        Object.entries(value as Record<string, Schema>).map(([name, of]) => [name, strict(of)]),
      );
    else if (Array.isArray(value)) result[key] = value.map((item) => (isSchema(item) ? strict(item) : item));
    else result[key] = isSchema(value) ? strict(value) : value;
  }
  if (schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true)
    return { type: ['integer', 'string'] };
  if (result.properties && !('additionalProperties' in result) && !schema['x-kubernetes-preserve-unknown-fields'])
    result.additionalProperties = false;
  return result;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One definition a line, so that a newer version is a diff that can be read. */
function write(file: string, kinds: Record<string, string>, definitions: Record<string, Schema>): void {
  const lines = Object.keys(definitions)
    .sort()
    .map((name) => `${JSON.stringify(name)}: ${JSON.stringify(definitions[name])}`);
  const sortedKinds = Object.fromEntries(Object.entries(kinds).sort());
  writeFileSync(
    join(import.meta.dirname, file),
    `{ "kinds": ${JSON.stringify(sortedKinds)},\n"definitions": {\n${lines.join(',\n')}\n} }\n`,
  );
}
