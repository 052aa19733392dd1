/** General-purpose instructions. */
import { CONDITIONS } from '#spec/isa/x86/opcodes.ts';
import { ALU8, ALU16 } from './alu_narrow.ts';
import { ALU32 } from './alu32.ts';
import { ALU64 } from './alu64.ts';
import * as bits from './bits.ts';
import * as control from './control.ts';
import * as decimal from './decimal.ts';
import * as exchange from './exchange.ts';
import { loadFarPointer } from './far_pointer.ts';
import type { Forms } from './forms.ts';
import * as frame from './frame.ts';
import * as inputOutput from './input_output.ts';
import type { Instruction } from './instruction.ts';
import { FS } from './interface.ts';
import * as legacy from './legacy_control.ts';
import * as move from './move.ts';
import * as multiply from './multiply.ts';
import type { Handler } from './op.ts';
import { operandSize, place } from './operands.ts';
import * as segment from './segment.ts';
import * as shift from './shift.ts';
import * as stack from './stack.ts';
import { cli, popf, pushf, sti } from './stack_flags.ts';
import { ITERATION, type Repeat, stringHandler } from './strings.ts';
import * as system from './system.ts';
import { type Build, type BuildTable, fixed, returning } from './table.ts';
import * as unary from './unary.ts';

const sized =
  (handlers: Readonly<Record<number, Handler>>): Build =>
  (o) =>
    handlers[o.size];

const pick = (forms: Readonly<Record<string, Handler>>, form: string): Handler => forms[form];

const ALU: Readonly<Record<number, Readonly<Record<string, Forms>>>> = { 1: ALU8, 2: ALU16, 4: ALU32, 8: ALU64 };
const MOV: Readonly<Record<number, Forms>> = { 1: move.MOV8, 2: move.MOV16, 4: move.MOV32, 8: move.MOV64 };

const alu =
  (name: string): Build =>
  (o, _, form) =>
    pick(ALU[o.size][name], form);

/** MOVZX, MOVSX, MOVSXD; a move to the same 16 bits extends nothing. */
const extend =
  (signed: boolean): Build =>
  (o, i, form) => {
    const from = operandSize(i.row.operands[1], i.size);
    if (o.size === 2) {
      if (from === 1) return pick(signed ? move.MOVSX16 : move.MOVZX16, form);
      // MOVSXD reads its 32 bits all the same.
      if (form === 'rm') return from === 4 ? move.loadLow16 : move.MOV16['rm'];
      o.b = place(i.rm, 2, i.rex);
      return pick(move.MOV16, form);
    }
    return pick((!signed ? move.MOVZX : o.size === 8 ? move.MOVSX64 : move.MOVSX32)[from], form);
  };

const shiftOf =
  (name: string): Build =>
  (o, i, form) => {
    if (i.row.operands[1] === 'CL') return shift.byCl(shift.SHIFTS[name]);
    const wide = o.size === 8;
    const count = o.imm & (wide ? 63 : 31);
    const constant = (wide ? shift.BY_CONSTANT64 : shift.BY_CONSTANT32)[name];
    if (form === 'ri' && o.size >= 4 && count !== 0 && constant !== undefined) {
      o.imm = count;
      return constant;
    }
    return shift.byImmediate(shift.SHIFTS[name]);
  };

const unaryOf =
  (name: string): Build =>
  (o) =>
    (!o.memory && (o.size === 8 ? unary.UNARY64 : o.size === 4 ? unary.UNARY32 : undefined)?.[name]) || unary.UNARY[name];

const bitTest =
  (name: string): Build =>
  (_, i) =>
    bits.BIT_TEST[name][i.row.operands[1] === 'Ib' ? 'immediate' : 'register'];

/** LEA takes the offset alone, so a segment override means nothing. */
const lea: Build = (o) => {
  o.segment = 0;
  o.special = o.address !== 8;
  return move.LEA[o.size];
};

const push: Build = (o, _, form) => {
  if (form === 'i') return stack.pushImmediate;
  if (form === 'm') return stack.pushMemory;
  return o.size === 8 ? stack.pushRegister64 : stack.pushRegister;
};

const pop: Build = (o, _, form) => {
  if (form === 'm') return stack.popMemory;
  return o.size === 8 ? stack.popRegister64 : stack.popRegister;
};

const enter: Build = (o, i) => {
  o.immHi = i.immediate2;
  return frame.enter;
};

/** CS cannot be loaded, and there are six segment registers. REX.R does not count. */
const segmentRegister =
  (handler: Handler, load: boolean): Build =>
  (o, i) => {
    o.immHi = i.reg & 7;
    return o.immHi >= segment.SEGMENTS.length || (load && !segment.isLoadable(o.immHi)) ? system.undefinedOpcode : handler;
  };

/** The operand names the segment register. */
const segmentStack =
  (handler: Handler): Build =>
  (o, i) => {
    o.immHi = segment.SEGMENTS.indexOf(i.row.operands[0]);
    return handler;
  };

/** LES, LDS, LSS, LFS, LGS. */
const farLoad =
  (name: string): Build =>
  (o) => {
    o.immHi = segment.SEGMENTS.indexOf(name);
    return loadFarPointer;
  };

/** Of FS (0) or GS (1). */
const base =
  (handler: Handler, which: 0 | 1): Build =>
  (o) => {
    o.immHi = FS + which;
    return handler;
  };

/** 90 without REX.B is NOP, not a 32-bit exchange that would clear the upper half of RAX. */
const xchg: Build = (_, i) => (i.opcode === 0x90 && (i.rex & 1) === 0 ? system.nop : exchange.xchg);

const repeatOf = (i: Instruction): Repeat => {
  if (i.rep === 0 || i.row.rep === undefined) return 'once';
  if (i.row.rep === 'rep') return 'count';
  return i.rep === 0xf3 ? 'equal' : 'unequal';
};

/** Handlers by whether the target is relative: of 64-bit mode, with 16-bit operands there, and outside. */
type Branch = readonly [relative: Handler, indirect: Handler];
const jump =
  (wide: Branch, short: Branch, outside: Branch): Build =>
  (_, i) =>
    (i.mode !== '64' ? outside : i.size === 2 ? short : wide)[i.row.operands[0].startsWith('J') ? 0 : 1];

const byMode =
  (long: Handler, outside: Handler): Build =>
  (_, i) =>
    i.mode === '64' ? long : outside;

/** LOOPE and LOOPNE: F3 and F2 say which of them it is. */
const loopOnZero =
  (which: 'loope' | 'loopne'): Build =>
  (_, i) => {
    const handlers = i.mode === '64' ? control : legacy;
    return handlers[i.rep === 0 ? which : i.rep === 0xf3 ? 'loope' : 'loopne'];
  };

const ret: Build = (_, i) => (i.mode !== '64' ? legacy.ret : i.size === 2 ? control.retShort : control.ret);

const doubleShift =
  (immediate: Handler, cl: Handler): Build =>
  (_, i) =>
    i.row.operands[2] === 'CL' ? cl : immediate;

const named = <T>(names: readonly string[], build: (name: string, n: number) => T): Record<string, T> =>
  Object.fromEntries(names.map((name, n) => [name, build(name, n)]));

const conditional = (prefix: string, build: (number: number) => Build): Record<string, Build> =>
  Object.fromEntries(CONDITIONS.map((cc, n) => [prefix + cc, build(n)]));

export const GENERAL: BuildTable = {
  ...named(Object.keys(ALU64), alu),
  ...named(Object.keys(shift.SHIFTS), shiftOf),
  ...named(Object.keys(unary.UNARY), unaryOf),
  ...named(Object.keys(bits.BIT_TEST), bitTest),
  ...named(
    Object.keys(ITERATION),
    (name): Build =>
      (_, i) =>
        stringHandler(name, repeatOf(i)),
  ),
  ...conditional('j', (n) => (o, i) => {
    o.v = n;
    return i.mode === '64' ? control.JCC[n] : legacy.jcc;
  }),
  ...conditional('set', (n) => (o) => {
    o.immHi = n;
    return unary.set;
  }),
  ...conditional('cmov', (n) => (o) => {
    o.immHi = n;
    return unary.cmov;
  }),
  mov: (o, _, form) => pick(MOV[o.size], form),
  // The hint says nothing to a machine without caches.
  movnti: (o, _, form) => pick(MOV[o.size], form),
  movzx: extend(false),
  movsx: extend(true),
  movsxd: extend(true),
  movbe: (_, __, form) => (form === 'rm' ? move.movbeLoad : move.movbeStore),
  lea,
  bswap: sized(move.BSWAP),
  cbw: sized(move.CBW),
  cwd: sized(move.CWD),
  xlat: fixed(system.xlat),
  push,
  pop,
  pusha: fixed(frame.pusha),
  popa: fixed(frame.popa),
  pushf: fixed(pushf),
  popf: fixed(popf),
  cli: fixed(cli),
  sti: fixed(sti),
  enter,
  leave: fixed(frame.leave),
  mov_from_seg: segmentRegister(segment.movFromSegment, false),
  mov_to_seg: segmentRegister(segment.movToSegment, true),
  push_seg: segmentStack(segment.pushSegment),
  pop_seg: segmentStack(segment.popSegment),
  les: farLoad('ES'),
  lds: farLoad('DS'),
  lss: farLoad('SS'),
  lfs: farLoad('FS'),
  lgs: farLoad('GS'),
  arpl: fixed(segment.arpl),
  rdfsbase: base(segment.readBase, 0),
  rdgsbase: base(segment.readBase, 1),
  wrfsbase: base(segment.writeBase, 0),
  wrgsbase: base(segment.writeBase, 1),
  xchg,
  xadd: fixed(exchange.xadd),
  cmpxchg: fixed(exchange.cmpxchg),
  cmpxchg8b: (_, i) => (i.size === 8 ? exchange.cmpxchg16b : exchange.cmpxchg8b),
  mul: fixed(multiply.mul),
  imul: (o, _, form) => (form.length === 1 ? multiply.imulWide : pick(multiply.IMUL[o.size], form)),
  div: fixed(multiply.div),
  idiv: fixed(multiply.idiv),
  bsf: fixed(bits.bsf),
  bsr: fixed(bits.bsr),
  tzcnt: fixed(bits.tzcnt),
  lzcnt: fixed(bits.lzcnt),
  popcnt: fixed(bits.popcnt),
  shld: doubleShift(shift.shldImmediate, shift.shldCl),
  shrd: doubleShift(shift.shrdImmediate, shift.shrdCl),
  jmp: jump([control.jmp, control.jmpIndirect], [control.jmp, control.jmpIndirectShort], [legacy.jmp, legacy.jmpIndirect]),
  call: jump([control.call, control.callIndirect], [control.callShort, control.callIndirectShort], [legacy.call, legacy.callIndirect]),
  ret: (o, i, form) => returning(ret(o, i, form))(o, i, form),
  loop: byMode(control.loop, legacy.loop),
  loope: loopOnZero('loope'),
  loopne: loopOnZero('loopne'),
  jrcxz: byMode(control.jrcxz, legacy.jcxz),
  bound: fixed(legacy.bound),
  into: fixed(legacy.into),
  in: (_, i) => (i.row.operands[1] === 'DX' ? inputOutput.inDx : inputOutput.inImmediate),
  out: (o, i) => {
    const data = i.row.operands[1];
    o.size = operandSize(data, i.size);
    return i.row.operands[0] === 'DX' ? inputOutput.outDx : inputOutput.outImmediate;
  },
  rdrand: fixed(inputOutput.random),
  rdseed: fixed(inputOutput.random),
  rdpid: fixed(system.rdpid),
  daa: fixed(decimal.daa),
  das: fixed(decimal.das),
  aaa: fixed(decimal.aaa),
  aas: fixed(decimal.aas),
  aam: fixed(decimal.aam),
  aad: fixed(decimal.aad),
  salc: fixed(decimal.salc),
  cmc: fixed(system.cmc),
  clc: fixed(system.clc),
  stc: fixed(system.stc),
  cld: fixed(system.cld),
  std: fixed(system.std),
  lahf: fixed(system.lahf),
  sahf: fixed(system.sahf),
  cpuid: fixed(system.cpuid),
  rdtsc: fixed(system.rdtsc),
  rdtscp: fixed(system.rdtscp),
  ...named(['clflush', 'clflushopt', 'clwb'], () => (o) => {
    o.lenient = true;
    return system.clflush;
  }),
  fwait: fixed(system.fwait),
  ...named(['lfence', 'mfence', 'sfence', 'pause', 'prefetch', 'nop'], () => fixed(system.nop)),
  ...named(['ud0', 'ud1', 'ud2', 'invalid'], () => fixed(system.undefinedOpcode)),
};
