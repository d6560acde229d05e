import type { AllowableValues } from './api-docs.ts';

const WIDTH = 110;

/** A doc comment of these paragraphs, indented; nothing where there is nothing to say. */
export function docComment(indent: string, paragraphs: readonly string[]): string {
  const lines = paragraphs.flatMap((paragraph) => wrap(paragraph.replaceAll('*/', '*\\/')));
  if (lines.length === 0) return '';
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

/** "Default 0.", "At least 0.": what the docs know of a value beside its type. */
export function valueNotes(
  allowable: AllowableValues | undefined,
  defaultValue: string | number | boolean | undefined,
): string {
  const notes: string[] = [];
  if (allowable?.valueType === 'RANGE') {
    if (allowable.min !== undefined) notes.push(`At least ${allowable.min}.`);
    if (allowable.max !== undefined) notes.push(`At most ${allowable.max}.`);
  }
  if (defaultValue !== undefined && defaultValue !== '') notes.push(`Default ${defaultValue}.`);
  return notes.join(' ');
}

/** A sentence ends with a full stop, so that another can follow. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' || /[.!?:;]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
