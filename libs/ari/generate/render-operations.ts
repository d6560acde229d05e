import { type ApiDocs, modelsOf, type Operation, type Parameter } from './api-docs.ts';
import { docComment, sentence, valueNotes } from './doc-comment.ts';
import { header } from './interface.ts';
import { typescriptType } from './typescript-type.ts';

/** `operations.gen.ts`: for each resource an object of functions that build requests. */
export function renderOperations(docs: ApiDocs): string {
  const models = modelsOf(docs);
  const modelName = (name: string): string => {
    if (models.has(name)) return `m.${name}`;
    throw new Error(`the api-docs use the type ${name}, which they do not define`);
  };
  const resources = docs.resources.map(({ name, apis }) => {
    const functions = apis.flatMap(({ path, operations }) =>
      operations
        // The upgrade to a WebSocket is AriSocket's, not a request.
        .filter((operation) => operation.upgrade === undefined)
        .map((operation) => renderOperation(name, path, operation, modelName)),
    );
    return `export const ${name} = {\n${functions.join('\n')}};\n`;
  });
  return [
    `${header(docs.version)}import { type AriRequest, ariRequest } from '../request.ts';\nimport type * as m from './models.gen.ts';\n`,
    ...resources,
  ].join('\n');
}

type ModelName = (model: string) => string;

function renderOperation(resource: string, route: string, operation: Operation, modelName: ModelName): string {
  const { httpMethod, nickname, parameters, responseClass } = operation;
  const response = typescriptType({ where: '', type: responseClass }, modelName);
  const pathNames = parameters.filter((one) => one.paramType === 'path').map((one) => one.name);
  for (const name of pathNames)
    if (!route.includes(`{${name}}`)) throw new Error(`${resource}.${nickname}: ${route} has no {${name}}`);

  const fields = parameters.map((one) => renderParameter(`${resource}.${nickname}`, one, modelName));
  const isOptional = parameters.every((one) => !isRequired(one));
  const argument = parameters.length === 0 ? '' : `params: {\n${fields.join('')}  }${isOptional ? ' = {}' : ''}`;
  const passed = [
    `'${httpMethod}'`,
    `'${route}'`,
    ...(parameters.length === 0 ? [] : ['params']),
    ...sources(parameters),
  ];
  return `${docComment('  ', documentation(operation))}  ${nickname}(${argument}): AriRequest<${response}> {
    return ariRequest(${passed.join(', ')});
  },
`;
}

/** Which parameters travel in the query, and which one in the body; those of the path stand in the route. */
function sources(parameters: readonly Parameter[]): string[] {
  const query = parameters.filter((one) => one.paramType === 'query').map((one) => `'${one.name}'`);
  const body = parameters.find((one) => one.paramType === 'body');
  const parts = [];
  if (query.length > 0) parts.push(`query: [${query.join(', ')}]`);
  // "containers": an object that holds the parameter under its name; "object": the parameter itself.
  if (body !== undefined) parts.push(`${body.dataType === 'containers' ? 'bodyField' : 'body'}: '${body.name}'`);
  return parts.length === 0 ? [] : [`{ ${parts.join(', ')} }`];
}

function renderParameter(where: string, parameter: Parameter, modelName: ModelName): string {
  const { name, description, dataType, allowMultiple, allowableValues, defaultValue, paramType } = parameter;
  const one = typescriptType({ where: `${where}.${name}`, type: dataType, allowableValues }, modelName);
  const type =
    allowMultiple && paramType === 'query' ? `${one} | readonly ${one.includes('|') ? `(${one})` : one}[]` : one;
  const doc = docComment('    ', [`${sentence(description)} ${valueNotes(allowableValues, defaultValue)}`]);
  return `${doc}    ${name}${isRequired(parameter) ? `: ${type}` : `?: ${type} | undefined`};\n`;
}

function documentation({ summary, notes, since, errorResponses }: Operation): string[] {
  return [
    sentence(summary),
    sentence(notes),
    ...errorResponses.map(({ code, reason }) => `- ${code}: ${reason}`),
    since.length > 0 ? `@since ${since.join(', ')}` : '',
  ];
}

function isRequired({ required, paramType }: Parameter): boolean {
  return required || paramType === 'path';
}
