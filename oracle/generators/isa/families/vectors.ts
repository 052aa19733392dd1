/** Implicit operands of x87, MMX and SSE instructions, and what lies in their memory operands. */
import type { Row } from '#spec/isa/x86/opcodes.ts';
import type { Draft } from '../draft.ts';
import { decimal, double, extended, single, vector } from '../floats.ts';
import { elementOf, fxFor } from '../fx.ts';
import { anyPlace } from '../places.ts';
import type { Stream } from '../stream.ts';
import { bytesOf, operandValue } from '../values.ts';
import { type Family, RAX, RDI, RDX } from './family.ts';

/** Numbers as the instruction reads them. */
const numbers = (d: Draft, address: bigint, bytes: number): void => {
  const { s, row } = d;
  if (bytes > 16) return;
  const wide = vector(s, elementOf(s, row), 128);
  d.pokeNumber(address, wide, bytes);
};

/** What an x87 instruction finds in memory, by width and mnemonic. */
const loaded = (s: Stream, { mnemonic }: Row, bytes: number): bigint => {
  if (mnemonic.startsWith('fb')) return decimal(s);
  if (bytes === 10) return extended(s);
  if (bytes === 2 || mnemonic.startsWith('fi')) return operandValue(s, bytes);
  return bytes === 8 ? double(s) : single(s);
};
const stackNumbers = (d: Draft, address: bigint, bytes: number): void => d.pokeNumber(address, loaded(d.s, d.row, bytes), bytes);

/** Lengths of strings for PCMPESTRI and PCMPESTRM: inside, outside, of both signs. */
const lengths = (d: Draft): void => {
  for (const register of [RAX, RDX]) {
    if (d.s.one(8)) continue;
    const length = BigInt(d.s.int(-18, 18));
    d.regs[register] = d.s.one(2) ? BigInt.asUintN(64, length) : (d.s.bits64() & 0xffffffff00000000n) | BigInt.asUintN(32, length);
  }
};

/** Strings of few different characters, with ends. */
const text = (d: Draft, address: bigint, bytes: number): void => {
  const characters = Uint8Array.from({ length: bytes }, () => (d.s.one(12) ? 0 : d.s.pick([0x41, 0x42, 0x43, 0xc1])));
  d.poke(address, characters);
};

const textRegisters = (d: Draft): void => {
  if (d.fx === null || d.s.one(3)) return;
  for (let n = 160; n < 416; n++) d.fx[n] = d.s.one(12) ? 0 : d.s.pick([0x41, 0x42, 0x43, 0xc1]);
};

/** MASKMOVQ and MASKMOVDQU write at rDI. */
const atRdi = (d: Draft): void => {
  const place = anyPlace(d.s, d.row.mnemonic === 'maskmovq' ? 8 : 16, d.mode === '64');
  d.forms.push(place.form);
  if (place.form === 'code') d.way = 'step';
  d.point(RDI, place.address);
};

/** Control words: rounding and precision of all kinds; now and then bits that do not exist. */
const controlWord = (d: Draft, address: bigint): void => d.pokeNumber(address, BigInt(d.s.bits()), 2);

const mxcsr = (d: Draft, address: bigint): void => {
  const any = d.s.bits();
  d.pokeNumber(address, BigInt(d.s.one(4) ? any : any & 0xffff), 4);
};

/** FXRSTOR: an image like those that cases begin with. */
const image = (d: Draft, address: bigint): void => {
  const { s } = d;
  const bytes = fxFor(s, d.row);
  for (const at of [5, 6, 7, ...Array.from({ length: 16 }, (_, i) => 8 + i)]) bytes[at] = 0;
  if (s.one(6)) new DataView(bytes.buffer).setUint32(24, s.bits(), true);
  if (s.one(6)) bytes[1] = s.below(256);
  d.poke(address, bytes);
};

/** x87 and SSE state are all that the default machine's XCR0 has, so EDX:EAX asks for no more. */
const components = (d: Draft): void => {
  d.reserved = [RAX, RDX];
  d.regs[RAX] = BigInt(d.s.below(4)) | (d.mode === '64' ? d.s.bits64() & 0xffffffff00000000n : 0n);
  d.regs[RDX] = d.mode === '64' ? d.s.bits64() & 0xffffffff00000000n : 0n;
};

/** XRSTOR: the same with a header that mostly is a good one. */
const extendedImage = (d: Draft, address: bigint): void => {
  const { s } = d;
  image(d, address);
  const header = new Uint8Array(64);
  const view = new DataView(header.buffer);
  const present = s.below(4);
  view.setUint32(0, present, true);
  const compact = s.one(4) ? present | s.below(4) : null;
  if (compact !== null) {
    view.setUint32(8, s.one(8) ? s.below(4) : compact, true);
    view.setUint32(12, 0x80000000, true);
  }
  if (s.one(10)) view.setUint32(s.pick([4, 12]), 0x80000000, true);
  if (s.one(10)) header[s.int(16, 63)] = 1;
  d.poke(address + 512n, header);
};

/** FLDENV and FRSTOR: control, status and tag words, then registers. */
const environment = (d: Draft, address: bigint): void => {
  const { s } = d;
  const wide = d.size !== 2;
  const step = wide ? 4 : 2;
  const from = fxFor(s, d.row);
  const bytes = new Uint8Array((wide ? 28 : 14) + 80);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, s.one(4) ? s.bits() & 0xffff : from[0] | (from[1] << 8), true);
  view.setUint16(step, from[2] | (from[3] << 8), true);
  view.setUint16(2 * step, s.one(2) ? s.bits() & 0xffff : s.pick([0, 0xffff]), true);
  for (let n = 0; n < 8; n++) bytes.set(bytesOf(extended(s), 10), (wide ? 28 : 14) + 10 * n);
  d.poke(address, bytes);
};

const named = (names: readonly string[], family: Family): Readonly<Record<string, Family>> =>
  Object.fromEntries(names.map((name) => [name, family]));

/** By mnemonic. */
export const VECTOR_FAMILY: Readonly<Record<string, Family>> = {
  ...named(['pcmpestri', 'pcmpestrm'], {
    before: (d) => {
      lengths(d);
      textRegisters(d);
    },
    operand: text,
  }),
  ...named(['pcmpistri', 'pcmpistrm'], { before: textRegisters, operand: text }),
  ...named(['maskmovq', 'maskmovdqu'], { before: atRdi }),
  fldcw: { operand: controlWord },
  ldmxcsr: { operand: mxcsr },
  fxrstor: { operand: image },
  ...named(['xsave', 'xsaveopt', 'xsavec'], { before: components }),
  xrstor: { before: components, operand: extendedImage },
  ...named(['fldenv', 'frstor'], { operand: environment }),
};

/** Of a row that has none of its own. */
export const NUMBERS_FAMILY: Family = { operand: numbers };
export const STACK_NUMBERS_FAMILY: Family = { operand: stackNumbers };
