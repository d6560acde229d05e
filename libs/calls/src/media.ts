/** A sound to play: `sound:hello-world`, `recording:name`, `digits:42`, `number:42`, `characters:abc`, `tone:busy`, `sound:https://...`. */
export type Media = `${'sound' | 'recording' | 'number' | 'digits' | 'characters' | 'tone'}:${string}`;

export type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '*' | '#' | 'A' | 'B' | 'C' | 'D';
