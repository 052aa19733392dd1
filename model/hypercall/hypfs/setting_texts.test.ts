/** What settings make of texts: clauses hypfs/write-levels, -timestamps, -pcid, -limit, hypfs/words. Answers of real Xen 4.17. */
import { describe, expect, it } from 'vitest';
import { TEXTS } from './setting_texts.ts';

const of = (setting: keyof typeof TEXTS) => (text: string) => {
  const { error, told } = TEXTS[setting](text);
  return [error, told];
};

describe('levels of the log', () => {
  it.each([
    ['none', null, 'none/none'],
    ['info/error', null, 'info/info'],
    ['error/debug', null, 'error/all'],
    ['none/bogus', 'EINVAL', 'none/warning'],
    ['x', 'EINVAL', 'warning/warning'],
    ['', null, 'warning/warning'],
  ])('%s', (text, error, told) => expect(of('levels')(text)).toEqual([error, told]));
});

describe('numbers', () => {
  it.each([
    ['64', null, '64'],
    ['0x40', null, '64'],
    ['0100', null, '64'],
    ['', null, '0'],
    ['08', 'EINVAL', undefined],
    ['12x', 'EINVAL', undefined],
    ['2147483648', 'ERANGE', undefined],
    ['18446744073709551617', null, '1'],
  ])('%s', (text, error, told) => expect(of('limit')(text)).toEqual([error, told]));
});

describe('words', () => {
  it.each([
    ['pcid', 'no', null, 'off'],
    ['pcid', 'no-xpti', null, 'noxpti'],
    ['pcid', 'xpti=enable', null, 'xpti'],
    ['pcid', 'no-xpti=1', 'EINVAL', undefined],
    ['pcid', '', 'EINVAL', undefined],
    ['timestamps', '', null, 'date'],
    ['timestamps', 'off', null, 'none'],
    ['timestamps', 'datems', null, 'datems'],
    ['timestamps', 'stamps', 'EINVAL', undefined],
    ['ept', 'anything', null, undefined],
  ] as const)('%s %s', (setting, text, error, told) => expect(of(setting)(text)).toEqual([error, told]));
});
