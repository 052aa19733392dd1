import { isTypeScript, type Source } from './sources.ts';

/** Lines, the last included. Past this a file holds more than one concept. */
export const LIMIT = 400;

/** Files that a program writes; their length is the length of what they list. */
export const GENERATED: readonly string[] = ['spec/clauses.ts'];

/** Every TypeScript file that is too long, one line each. */
export function tooLong(all: readonly Source[]): string[] {
  return all
    .filter((source) => isTypeScript(source) && !GENERATED.includes(source.path))
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > LIMIT)
    .map(({ path, lines }) => `${path}: ${lines} lines, more than ${LIMIT}`);
}
