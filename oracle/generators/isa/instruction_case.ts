/** Cases of one instruction each: a row of the opcode table, a seed, and all else follows. */
import { type InstructionCase, MODES, type Mode, UPPER_ESP } from '#oracle/image/instruction/case.ts';
import { type CaseSegment, limitOf, segmentNamed } from '#oracle/image/instruction/segments.ts';
import { CODE, CODE_END, PAGE } from '#oracle/image/instruction/window.ts';
import { memoryForm, registerForm } from './addressing.ts';
import { CS, Draft, SS } from './draft.ts';
import { encode } from './encode.ts';
import { familyOf } from './families/index.ts';
import { fxFor } from './fx.ts';
import { chooseImmediates, hasModrm, memoryAllowed, memoryWidth } from './operands.ts';
import { anyPlace } from './places.ts';
import { choosePrefixes } from './prefixes.ts';
import { Stream } from './stream.ts';

/** The case number `seed` of a row. */
export const instructionCase = (row: number, seed: number, mode: Mode = '64'): InstructionCase => {
  const s = new Stream(seed, row + 0x1000 * MODES.indexOf(mode));
  const d = new Draft(row, s, mode);
  const family = familyOf(d.row);
  if (family.step || s.one(12)) d.way = 'step';
  if (d.row.state !== undefined) d.fx = fxFor(s, d.row);
  choosePrefixes(d);
  const memory = chooseModrm(d);
  family.before?.(d);
  if (memory) placeOperand(d, family.target?.(d) ?? 0n);
  if (family.immediates) family.immediates(d);
  else chooseImmediates(d);
  placeCode(d);
  keepCode(d);
  keepStack(d);
  const code = encode(d);
  return {
    row,
    mode,
    seed,
    way: d.way,
    size: d.size,
    destination: destinationOf(d),
    form: d.forms.join(', ') || 'registers',
    code: code.slice(0, 20),
    rip: d.rip,
    segments: d.segments,
    regs: d.regs,
    flags: d.flags,
    fsBase: d.fsBase,
    gsBase: d.gsBase,
    fx: d.fx,
    memory: d.memory,
    pokes: d.pokes,
    selectors: d.selectors,
  };
};

/** Chooses modrm.reg and, for a register operand, r/m. True when the operand is memory, which is placed later. */
const chooseModrm = (d: Draft): boolean => {
  const { row, s } = d;
  if (!hasModrm(row)) return false;
  if (row.modrm !== undefined) {
    d.modrm = { bytes: [row.modrm], ripRelative: null };
    return false;
  }
  d.modrmReg = row.ext ?? s.below(8);
  // CS has another number on each system, so that reading it tells nothing.
  if (row.mnemonic === 'mov_from_seg' && d.modrmReg === CS) d.modrmReg = 0;
  const allowed = memoryAllowed(row);
  if (allowed === 'must' || (allowed === 'may' && !s.one(3))) return true;
  registerForm(d, d.modrmReg);
  return false;
};

/** Puts the memory operand somewhere, and something into it. */
const placeOperand = (d: Draft, away: bigint): void => {
  const bytes = memoryWidth(d);
  const place = anyPlace(d.s, bytes, d.mode === '64');
  d.forms.push(place.form);
  if (place.form === 'code') d.way = 'step';
  const operand = familyOf(d.row).operand;
  const inWindow = place.address < 0x80000000n;
  if (inWindow && operand) operand(d, place.address, bytes);
  else if (inWindow) d.pokeAny(place.address, bytes);
  d.memory = place.address;
  memoryForm(d, d.modrmReg, BigInt.asUintN(64, place.address + away));
};

/** More than the longest instruction has. */
const CODE_BYTES = 32;

/** Operands that would lie in the instruction itself lie there as they are: it must stay what it is. */
const keepCode = (d: Draft): void => {
  const kept = d.pokes.filter(({ at, bytes }) => at + bytes.length <= d.rip || at >= d.rip + CODE_BYTES);
  d.pokes.splice(0, d.pokes.length, ...kept);
};

/** Mostly in the middle of a page; now and then across a border, into a page that may not be executed, or off the end. */
const placeCode = (d: Draft): void => {
  const { s } = d;
  const code = d.segments === null ? undefined : segmentNamed(d.segments[CS]);
  if (code !== undefined && (code.name.startsWith('small') || s.one(40))) {
    placeInSegment(d, code);
    return;
  }
  const roll = s.below(24);
  // Outside 64-bit mode a limit may lie right behind the page.
  if (roll < 3 && d.mode !== '64') d.way = 'step';
  switch (roll) {
    case 0:
      d.rip = CODE + PAGE - s.int(1, 15);
      return;
    case 1:
      d.rip = CODE + 2 * PAGE - s.int(1, 15);
      d.forms.push('fetch from a page that cannot be executed');
      return;
    case 2:
      d.rip = CODE_END + PAGE - s.int(1, 15);
      d.forms.push('fetch from an absent page');
      return;
    default:
      d.rip = s.pick([CODE, CODE + PAGE]) + s.int(16, PAGE - 64);
  }
};

/** In a segment that does not have all of the code pages; now and then where its limit cuts the instruction. */
const placeInSegment = (d: Draft, code: CaseSegment): void => {
  const { s } = d;
  const end = Math.min(code.base + limitOf(code) + 1, CODE + 2 * PAGE);
  const start = Math.max(code.base, CODE);
  if (!s.one(4)) {
    d.rip = s.int(start, end - 64);
    return;
  }
  d.rip = end - s.int(1, 12);
  d.way = 'step';
  d.forms.push('fetch across the limit of CS');
};

const RSP = 4;
/** A 16-bit stack pointer has a fixed upper half (UPPER_ESP). */
const keepStack = (d: Draft): void => {
  if (d.segments === null || segmentNamed(d.segments[SS])?.big) return;
  d.regs[RSP] = (d.regs[RSP] & 0xffffn) | BigInt(UPPER_ESP);
};

const destinationOf = (d: Draft): InstructionCase['destination'] => {
  const code = d.row.operands[0] ?? '';
  if (code.startsWith('Z')) return (d.row.opcode & 7) | (((d.rex ?? 0) & 1) << 3);
  if (code.startsWith('G')) return d.reg;
  if (!code.startsWith('E')) return null;
  return (d.modrm?.bytes[0] ?? 0) >= 0xc0 ? d.rm : 'memory';
};
