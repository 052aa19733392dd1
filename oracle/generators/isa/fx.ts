/** The x87, MMX and SSE state that an instruction meets. */
import { fxImageOf } from '#oracle/image/instruction/fx_state.ts';
import type { Row } from '#spec/isa/x86/opcodes.ts';
import { INEXACT_RESULTS } from '#spec/isa/x86/undefined.ts';
import { type Element, extended, vector } from './floats.ts';
import type { Stream } from './stream.ts';
import { operandValue } from './values.ts';

const ALL_MASKED = 0x3f;
const PRECISION = 0x20;
/** ES and B of the status word. */
const PENDING = 0x8080;

const inexact = (mnemonic: string): boolean => INEXACT_RESULTS.some((result) => result.mnemonics.includes(mnemonic));

/** Exception masks: mostly all of them. Whether a result is exact is not asked where it may be off. */
const masks = (s: Stream, row: Row): number => (s.one(3) ? s.below(64) : ALL_MASKED) | (inexact(row.mnemonic) ? PRECISION : 0);

const control = (s: Stream, row: Row): number =>
  0x40 | masks(s, row) | (s.pick([3, 3, 3, 2, 0, 1]) << 8) | (s.pick([0, 0, 0, 1, 2, 3]) << 10) | (s.one(16) ? 0x1000 : 0);

/** TOP, condition codes, exceptions of before; pending ones seldom. */
const status = (s: Stream, word: number): number => {
  const before = s.one(3) ? s.below(128) & (s.one(8) ? 127 : word | 0x40) : 0;
  const pending = (before & ~word & ALL_MASKED) === 0 ? 0 : PENDING;
  return (s.below(8) << 11) | (s.bits() & 0x4700) | before | pending;
};

const ROUNDING = 13;
const FLUSH = 0x8000;
const DENORMALS_ARE_ZEROS = 0x40;
const mxcsr = (s: Stream, row: Row): number =>
  (masks(s, row) << 7) |
  (s.pick([0, 0, 0, 1, 2, 3]) << ROUNDING) |
  (s.one(6) ? FLUSH : 0) |
  (s.one(6) ? DENORMALS_ARE_ZEROS : 0) |
  (s.one(4) ? s.below(64) : 0);

/** What the elements of an operand are, as far as the name tells. */
export const elementOf = (s: Stream, { mnemonic, state }: Row): Element => {
  if (s.one(8)) return s.pick(['single', 'double', 'b', 'w', 'd', 'q', 'dq']);
  const from = /^cvtt?(ps|ss|pd|sd|dq|pi|si)2/.exec(mnemonic)?.[1];
  const kind = from ?? mnemonic.slice(-2);
  if (kind === 'ps' || kind === 'ss') return 'single';
  if (kind === 'pd' || kind === 'sd') return 'double';
  if (kind === 'dq' || kind === 'pi') return 'd';
  return state === 'x87' ? 'double' : s.pick(['b', 'w', 'd', 'q', 'dq']);
};

const register = (s: Stream): bigint => (s.one(8) ? (0xffffn << 64n) | operandValue(s, 8) : extended(s));

/** An integer that is small, for FSCALE's scale and the like; or a number near one, or near a quarter turn. */
const near = (s: Stream): bigint => {
  const sign = BigInt(s.below(2)) << 79n;
  const e = BigInt(16383 + s.int(-8, 13));
  return sign | (e << 64n) | (1n << 63n) | (s.one(2) ? BigInt(s.below(256)) << 55n : s.bits64() >> 1n);
};

/** An FXSAVE image for a row. */
export const fxFor = (s: Stream, row: Row): Uint8Array => {
  const word = control(s, row);
  const registers = Array.from({ length: 8 }, () => (row.state === 'x87' && s.one(3) ? near(s) : register(s)));
  const xmm = Array.from({ length: 16 }, () => vector(s, elementOf(s, row), 128));
  // Two operands that are equal, or of each other's exponent.
  if (s.one(5)) registers.fill(registers[s.below(8)], 0, 1 + s.below(8));
  if (s.one(5)) xmm.fill(xmm[s.below(16)], 0, 8);
  const tag = s.one(4) ? s.below(256) : 0xff;
  return fxImageOf({ control: word, status: status(s, word), tag, registers, mxcsr: mxcsr(s, row), xmm });
};
