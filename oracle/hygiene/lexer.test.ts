import { describe, expect, it } from 'vitest';
import { tokens } from './lexer.ts';

const values = (kind: string, text: string) =>
  tokens(text)
    .filter((token) => token.kind === kind)
    .map((token) => token.value);

describe('the lexer behind the hygiene rules', () => {
  it('tells strings from comments that quote them', () => {
    const text = `const a = 'x'; // not 'y'\n/* nor "z" */ const b = "w\\"";`;
    expect(values('string', text)).toEqual(['x', 'w\\"']);
    expect(values('comment', text)).toEqual([" not 'y'", ' nor "z" ']);
  });

  it('finds code and strings inside templates, nested too', () => {
    const text = "const a = `one ${f({ b: 'two' }, `three ${4}`)} five`;";
    expect(values('string', text)).toEqual(['one ', 'two', 'three ', '', ' five']);
  });

  it('tells a regular expression from a division', () => {
    expect(values('regex', "a.match(/['\"]/g); const q = a / 2 / b; return /[/]'/;")).toEqual([`/['"]/g`, "/[/]'/"]);
    expect(values('string', "const q = (a) / 2; const s = 'kept' / 3;")).toEqual(['kept']);
  });

  it('counts lines', () => {
    expect(tokens("a\n/*\n*/\n'four'").find((token) => token.kind === 'string')?.line).toBe(4);
  });
});
