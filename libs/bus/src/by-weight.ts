/** A PBX that calls may be placed on. */
export interface WeighedPbx {
  readonly name: string;
  /** How many of the calls it gets, beside the others. 0: none, unless it is named. Default 1. */
  readonly weight?: number | undefined;
}

/**
 * The order in which PBXs are tried: each place is drawn among those left, by their weights.
 *
 * @param random from 0 up to 1
 */
export function byWeight(pbxs: readonly WeighedPbx[], random: () => number): string[] {
  const left = pbxs.map(({ name, weight = 1 }) => ({ name, weight })).filter(({ weight }) => weight > 0);
  const order: string[] = [];
  while (left.length > 0) {
    let lot = random() * left.reduce((sum, { weight }) => sum + weight, 0);
    const at = left.findIndex(({ weight }) => {
      lot -= weight;
      return lot < 0;
    });
    // Rounding may leave a trifle over.
    const [drawn] = left.splice(at < 0 ? left.length - 1 : at, 1);
    if (drawn) order.push(drawn.name);
  }
  return order;
}
