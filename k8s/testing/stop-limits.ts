import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@callfleet/config';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');

export const SERVICES = { gateway: 'ari-gateway', worker: 'call-worker', relay: 'media-relay' } as const;
export type ServiceName = keyof typeof SERVICES;

/**
 * How long a service gives itself at most from SIGTERM to its end, milliseconds: the limits of all its `onDrain` and `onStop`,
 * which are asked one after another, as its `main.ts` has them, and of what telemetry closes.
 */
export function stopLimitMs(service: ServiceName, config: Config): number {
  const telemetry = sourceOf('libs/telemetry/src/service.ts');
  const defaultMs = numberOf(constantOf(telemetry, 'CLOSE_LIMIT_MS'), telemetry, config);
  const ownOfTelemetry = callsOf(telemetry, /^closers\.push$/).filter(({ arguments: [closer] }) => {
    return closer !== undefined && ts.isObjectLiteralExpression(closer) && /what: '/.test(closer.getText());
  });
  const main = sourceOf(`services/${SERVICES[service]}/src/main.ts`);
  const limits = callsOf(main, /^service\.on(Drain|Stop)$/).map(({ arguments: [, , limit] }) =>
    limit === undefined ? defaultMs : numberOf(limit, main, config),
  );
  if (limits.length === 0 || ownOfTelemetry.length === 0)
    throw new Error(`${service}: nothing that is closed was found`);
  return limits.reduce((sum, ms) => sum + ms, ownOfTelemetry.length * defaultMs);
}

function sourceOf(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(join(ROOT, path), 'utf8'), ts.ScriptTarget.Latest, true);
}

function callsOf(source: ts.SourceFile, callee: RegExp): ts.CallExpression[] {
  const found: ts.CallExpression[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isCallExpression(node) && callee.test(node.expression.getText())) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Numbers, constants of the file, keys of the configuration, and sums of them. */
function numberOf(node: ts.Expression, source: ts.SourceFile, config: Config): number {
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return numberOf(node.left, source, config) + numberOf(node.right, source, config);
  if (ts.isIdentifier(node)) return numberOf(constantOf(source, node.text), source, config);
  const [root, ...path] = node.getText().split('.');
  const value =
    root === 'config' ? path.reduce<unknown>((of, key) => (of as Record<string, unknown>)[key], config) : '';
  if (typeof value !== 'number') throw new Error(`${source.fileName}: how long is ${node.getText()}?`);
  return value;
}

function constantOf(source: ts.SourceFile, name: string): ts.Expression {
  for (const statement of source.statements)
    if (ts.isVariableStatement(statement))
      for (const { name: of, initializer } of statement.declarationList.declarations)
        if (of.getText() === name && initializer) return initializer;
  throw new Error(`${source.fileName} has no constant ${name}`);
}
