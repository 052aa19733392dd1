/** Registers as lists of bytes, lowest first: for what moves bytes about. */
import { Word } from '../../../../word/word.ts';
import type { Xmm } from '../../fpu/state.ts';

export const wordBytes = ({ lo, hi }: Word): number[] => [lo, hi].flatMap((n) => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24]);
export const xmmBytes = ({ lo, hi }: Xmm): number[] => [...wordBytes(lo), ...wordBytes(hi)];

const dword = (list: readonly number[], at: number): number => list[at] | (list[at + 1] << 8) | (list[at + 2] << 16) | (list[at + 3] << 24);
/** Eight bytes from `at` on. */
export const wordOf = (list: readonly number[], at = 0): Word => new Word(dword(list, at + 4), dword(list, at));
export const xmmOf = (list: readonly number[]): Xmm => ({ lo: wordOf(list), hi: wordOf(list, 8) });

/** Elements of 16 bits, lowest first. */
export const wordElements = ({ lo, hi }: Word): number[] => [lo & 0xffff, lo >>> 16, hi & 0xffff, hi >>> 16];
export const xmmElements = ({ lo, hi }: Xmm): number[] => [...wordElements(lo), ...wordElements(hi)];
export const fromElements = (list: readonly number[], at = 0): Word =>
  new Word((list[at + 2] & 0xffff) | (list[at + 3] << 16), (list[at] & 0xffff) | (list[at + 1] << 16));
export const xmmFromElements = (list: readonly number[]): Xmm => ({ lo: fromElements(list), hi: fromElements(list, 4) });

/** Elements of 32 bits, lowest first. */
export const xmmDwords = ({ lo, hi }: Xmm): number[] => [lo.lo, lo.hi, hi.lo, hi.hi];
export const xmmFromDwords = ([a, b, c, d]: readonly number[]): Xmm => ({ lo: new Word(b | 0, a | 0), hi: new Word(d | 0, c | 0) });
