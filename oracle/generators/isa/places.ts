/** Places that a memory operand may point to, from the harmless to the impossible. */
import { CODE, CODE_END, DATA, DATA_END, DATA_READ_ONLY, PAGE, STACK } from '#oracle/image/instruction/window.ts';
import type { Stream } from './stream.ts';

export type Place = { readonly form: string; readonly address: bigint };

type Make = (s: Stream, bytes: number) => number | bigint;
type Kind = { readonly form: string; readonly weight: number; readonly make: Make };

/** An address at which `bytes` bytes lie on both sides of a border (a single byte: right before or behind it). */
const across = (s: Stream, border: number | bigint, bytes: number): bigint =>
  BigInt(border) - BigInt(bytes === 1 ? s.below(2) : s.int(1, bytes - 1));

const KINDS: readonly Kind[] = [
  { form: 'inside', weight: 22, make: (s) => DATA + 64 + s.below(2 * PAGE - 700) },
  { form: 'aligned', weight: 16, make: (s) => DATA + 64 * s.int(1, 117) + 16 * s.pick([0, 0, 1, 2, 3]) },
  { form: 'crossing', weight: 8, make: (s, bytes) => across(s, DATA + PAGE, bytes) },
  { form: 'read-only', weight: 5, make: (s) => DATA_READ_ONLY + 32 + s.below(PAGE - 64) },
  { form: 'crossing into read-only', weight: 3, make: (s, bytes) => across(s, DATA_READ_ONLY, bytes) },
  { form: 'crossing from read-only into absent', weight: 2, make: (s, bytes) => across(s, DATA_READ_ONLY + PAGE, bytes) },
  { form: 'crossing into absent', weight: 3, make: (s, bytes) => across(s, DATA_END + PAGE, bytes) },
  { form: 'crossing from absent', weight: 3, make: (s, bytes) => across(s, DATA, bytes) },
  { form: 'absent', weight: 3, make: (s) => s.pick([0, 8, DATA_READ_ONLY + PAGE + 64, STACK - PAGE, 0x7ffff000]) + s.below(64) },
  { form: 'stack', weight: 2, make: (s) => STACK + 64 + s.below(PAGE) },
  { form: 'code', weight: 2, make: (s) => s.pick([CODE, CODE + PAGE, CODE_END]) + s.below(PAGE - 16) },
  { form: 'not canonical', weight: 3, make: (s) => 0x800000000000n + (s.bits64() >> BigInt(s.int(1, 40))) },
  { form: 'edge of the canonical', weight: 2, make: (s, bytes) => across(s, s.pick([0x800000000000n, 0xffff800000000000n]), bytes) },
  { form: 'upper half', weight: 1, make: (s) => 0xffff900000000000n + (s.bits64() >> 20n) },
  { form: 'around zero', weight: 1, make: (s, bytes) => across(s, 0n, bytes) },
];

const LOT: readonly Kind[] = KINDS.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));

/** Places that make no sense with addresses of 32 bits. */
const WIDE: readonly string[] = ['not canonical', 'edge of the canonical', 'upper half'];
const NARROW_LOT: readonly Kind[] = LOT.filter(({ form }) => !WIDE.includes(form));

/** A place for an operand of so many bytes. `wide`: in 64-bit mode. */
export const anyPlace = (s: Stream, bytes: number, wide = true): Place => {
  const kind = s.pick(wide ? LOT : NARROW_LOT);
  return { form: kind.form, address: BigInt.asUintN(64, BigInt(kind.make(s, bytes))) };
};
