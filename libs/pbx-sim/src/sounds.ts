export interface SoundsOptions {
  /** How long each sound is, by its media URI, milliseconds; others are {@link OTHER_SOUNDS_MS}. */
  readonly sounds?: Readonly<Record<string, number>>;
  /** Sounds that the PBX does not have. */
  readonly missing?: readonly string[];
}

const OTHER_SOUNDS_MS = 1000;
const DIGIT_MS = 300;

/** @returns milliseconds; infinite for a tone, which only ends when it is stopped; undefined: it can't be played */
export function lengthOf(mediaUri: string, { sounds = {}, missing = [] }: SoundsOptions): number | undefined {
  if (missing.includes(mediaUri)) return undefined;
  const known = sounds[mediaUri];
  if (known !== undefined) return known;
  const [scheme, rest = ''] = split(mediaUri);
  switch (scheme) {
    case 'tone':
      return Number.POSITIVE_INFINITY;
    case 'digits':
    case 'characters':
    case 'number':
      return rest.length * DIGIT_MS;
    case 'sound': {
      const silence = /^silence\/(\d+)$/.exec(rest);
      return silence ? Number(silence[1]) * 1000 : OTHER_SOUNDS_MS;
    }
    case 'recording':
      return OTHER_SOUNDS_MS;
    default:
      return undefined;
  }
}

function split(uri: string): [scheme: string, rest: string] {
  const at = uri.indexOf(':');
  return [uri.slice(0, at), uri.slice(at + 1)];
}
