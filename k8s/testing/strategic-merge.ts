/** By what the items of a list are told apart; other lists are replaced as a whole. */
const KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  env: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
  volumes: 'name',
};

type Fields = Record<string, unknown>;

/** Kubernetes's strategic merge of a patch into an object, as far as our patches go. */
export function mergeStrategically(target: unknown, patch: unknown): unknown {
  if (!isFields(target) || !isFields(patch)) return patch;
  const result: Fields = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    const key = KEYS[name];
    if (value === null) delete result[name];
    else if (key !== undefined && Array.isArray(value) && Array.isArray(result[name]))
      result[name] = mergeLists(result[name], value, key);
    else result[name] = mergeStrategically(result[name], value);
  }
  return result;
}

function mergeLists(target: readonly Fields[], patch: readonly Fields[], key: string): Fields[] {
  const patched = target.map((item) => {
    const change = patch.find((one) => one[key] === item[key]);
    return change ? (mergeStrategically(item, change) as Fields) : item;
  });
  return [...patched, ...patch.filter((one) => !target.some((item) => item[key] === one[key]))];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
