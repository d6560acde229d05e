import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import type { KubernetesObject } from './kubernetes-object.ts';

interface SchemaFile {
  /** By apiVersion and kind, as `apps/v1 Deployment`: the name of its definition. */
  kinds: Record<string, string>;
  definitions: Record<string, object>;
}

const FOLDER = join(import.meta.dirname, '../schemas');
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
const CUSTOM = FILES.filter((file) => !file.startsWith('kubernetes-'));

/** Those whose types are checked in. */
export const VERSIONS = FILES.flatMap((file) => /^kubernetes-(.*)\.json$/.exec(file)?.[1] ?? []);

/** The types of one Kubernetes version, and those that KEDA and prometheus-operator add. */
export class ApiTypes {
  readonly #ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  readonly #at = new Map<string, string>();
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(version: string) {
    for (const file of [`kubernetes-${version}.json`, ...CUSTOM]) {
      const { kinds, definitions } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as SchemaFile;
      this.#ajv.addSchema({ definitions }, file);
      for (const [kind, name] of Object.entries(kinds)) this.#at.set(kind, `${file}#/definitions/${name}`);
    }
  }

  /** @returns what is wrong with it, as `/spec/replicas must be integer`; nothing: it is of its type */
  problemsOf(object: KubernetesObject): string[] {
    const kind = `${object.apiVersion} ${object.kind}`;
    const at = this.#at.get(kind);
    if (!at) return [`there is no ${kind}`];
    const validate = this.#compiled.get(kind) ?? this.#ajv.compile({ $ref: at });
    this.#compiled.set(kind, validate);
    if (validate(object)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const { additionalProperty = '' } = params as { additionalProperty?: string };
      return `${instancePath} ${message} ${additionalProperty}`.trim();
    });
  }
}
