import { z } from 'zod';

/** The part of Swagger 1.2, in Asterisk's own dialect, that the types are made from. */
const AllowableValues = z.discriminatedUnion('valueType', [
  z.object({ valueType: z.literal('LIST'), values: z.array(z.string()) }),
  z.object({ valueType: z.literal('RANGE'), min: z.number().optional(), max: z.number().optional() }),
]);

const Parameter = z.object({
  name: z.string(),
  description: z.string().default(''),
  paramType: z.enum(['path', 'query', 'body']),
  dataType: z.string(),
  required: z.boolean().default(false),
  allowMultiple: z.boolean().default(false),
  allowableValues: AllowableValues.optional(),
  defaultValue: z.union([z.string(), z.number(), z.boolean()]).optional(),
});

const Operation = z.object({
  httpMethod: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
  nickname: z.string(),
  responseClass: z.string(),
  summary: z.string().default(''),
  notes: z.string().default(''),
  since: z.array(z.string()).default([]),
  upgrade: z.string().optional(),
  parameters: z.array(Parameter).default([]),
  errorResponses: z.array(z.object({ code: z.coerce.number(), reason: z.string() })).default([]),
});

const Property = z.object({
  type: z.string(),
  description: z.string().default(''),
  required: z.boolean().default(false),
  allowableValues: AllowableValues.optional(),
});

const Model = z.object({
  id: z.string(),
  description: z.string().default(''),
  subTypes: z.array(z.string()).default([]),
  properties: z.record(z.string(), Property),
});

/** One file of the api-docs, such as `channels.json`. */
export const Resource = z.object({
  apis: z.array(z.object({ path: z.string(), operations: z.array(Operation) })),
  models: z.record(z.string(), Model).default({}),
});

/** `resources.json`: which files there are. */
export const ResourceList = z.object({ apis: z.array(z.object({ path: z.string() })) });

export type AllowableValues = z.infer<typeof AllowableValues>;
export type Parameter = z.infer<typeof Parameter>;
export type Operation = z.infer<typeof Operation>;
export type Model = z.infer<typeof Model>;

export interface ApiDocs {
  /** Of the Asterisk that the docs belong to, such as `22.10.1`. */
  readonly version: string;
  readonly resources: readonly (z.infer<typeof Resource> & { readonly name: string })[];
}

/** Every model of every resource, in the order of the docs. */
export function modelsOf(docs: ApiDocs): Map<string, Model> {
  return new Map(docs.resources.flatMap((resource) => Object.entries(resource.models)));
}

/** The models that Asterisk sends as messages of the event socket: `root` and all its descendants. */
export function descendants(models: ReadonlyMap<string, Model>, root: string): string[] {
  const children = models.get(root)?.subTypes ?? [];
  return children.flatMap((child) => [child, ...descendants(models, child)]);
}
