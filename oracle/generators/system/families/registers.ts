/** Privileged instructions on registers: control and debug registers, MSRs, descriptor tables, the machine status word. */
import type { Action, SystemCase } from '#oracle/image/bare/case.ts';
import { bitsOf, isLong } from '#oracle/image/bare/case.ts';
import { GDT, IDT32, IDT64, IVT } from '#oracle/image/bare/layout.ts';
import { MSRS } from '#spec/isa/x86/msrs.ts';
import type { Stream } from '../../isa/stream.ts';
import { dataAt, dataOffset, instruction, movImmediate, type Place, rowOf } from '../assemble.ts';
import { store } from '../descriptor.ts';
import { somePlace } from '../places.ts';
import type { Family } from './family.ts';

const CR0 = { mp: 2, em: 4, ts: 8, ne: 0x20, wp: 0x10000, am: 0x40000, nw: 0x20000000, cd: 0x40000000 };
/** Bits of CR0 that may turn without taking the harness's ground away. */
const SAFE_CR0 = Object.values(CR0);
const PG = 0x80000000;
const PE = 1;

/** MOV to and from control registers. What turns is read back into RBX. */
const controlRegister = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const cr = s.one(6) ? s.pick([1, 5, 6, 7, 9, 15]) : s.pick([0, 2, 3, 4, 8]);
  const usable = cr < 8 || at.mode === '64' ? cr : 0;
  const read = instruction(at, rowOf('mov_from_cr'), { reg: usable, rm: 3 });
  if (s.one(4)) return { ...at, row: rowOf('mov_from_cr'), note: `from CR${usable}`, code: read, gpr: { 3: s.bits64() } };
  const code = [...instruction(at, rowOf('mov_from_cr'), { reg: usable, rm: 0 })];
  // EAX takes the register's value, some bits turn.
  const bits = at.mode === '64' ? 64 : 32;
  const mask = turned(s, at, usable, bits);
  code.push(
    ...movImmediate(at, 1, mask),
    ...(bits === 64 ? [0x48, 0x31, 0xc8] : bitsOf(at.mode) === 16 ? [0x66, 0x31, 0xc8] : [0x31, 0xc8]),
  );
  code.push(...instruction(at, rowOf('mov_to_cr'), { reg: usable, rm: 0 }), ...read);
  return { ...at, row: rowOf('mov_to_cr'), note: `to CR${usable}, turns ${mask.toString(16)}`, code };
};

const turned = (s: Stream, at: Place, cr: number, bits: number): bigint => {
  switch (cr) {
    case 0: {
      let mask = s.pick(SAFE_CR0);
      if (s.one(3)) mask |= s.pick(SAFE_CR0);
      // PG without PE, PG alone in 64-bit mode, PE away under paging: all of them are refused.
      if (s.one(5)) mask |= at.mode === 'real' ? PG : at.mode === '64' ? s.pick([PG, PE]) : at.paging === 'none' || !s.one(8) ? 0 : PE;
      if (s.one(5)) mask |= s.pick([0x40, 0x8000, 0x10, 0x100000]);
      return BigInt(mask >>> 0) | (bits === 64 && s.one(5) ? 1n << BigInt(s.int(32, 63)) : 0n);
    }
    case 3: {
      const low = BigInt(s.pick([0, 8, 0x10, 0x18, 0x7, 0xfe0]) & (at.paging === 'pae' ? 0x18 : 0xfff));
      return low | (bits === 64 && s.one(2) ? 1n << BigInt(s.pick([40, 41, 45, 51, 52, 60, 63])) : 0n);
    }
    case 4: {
      const bit = s.below(32);
      const held = at.paging === 'none' && at.mode !== 'v86' ? -1 : 5;
      const mask = bit === held && at.mode !== '64' && !isLong(at.mode) ? 1n : 1n << BigInt(bit);
      return mask | (bits === 64 && s.one(6) ? 1n << BigInt(s.int(32, 63)) : 0n);
    }
    case 8:
      return s.one(2) ? BigInt(s.below(16)) : 1n << BigInt(s.below(64));
    default:
      return s.bits64();
  }
};

const DR7_BITS = [0x400, 0x401, 0x155, 0x3ff, 0xf0401, 0x800, 0x1000, 0xc400, 0xfff0400] as const;

const debugRegister = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const dr = s.pick([0, 1, 2, 3, 4, 5, 6, 7]);
  const row = rowOf(s.one(3) ? 'mov_from_dr' : 'mov_to_dr');
  const wide = at.mode === '64';
  const value =
    dr === 7 || dr === 5
      ? BigInt(s.pick(DR7_BITS)) | (wide && s.one(4) ? 1n << BigInt(s.int(32, 63)) : 0n)
      : wide && !s.one(2)
        ? s.bits64()
        : BigInt(s.bits());
  const value6 = dr === 6 || dr === 4 ? (value & 0xffffffffn) | (wide && s.one(4) ? 1n << BigInt(s.int(32, 63)) : 0n) : value;
  const code = [...instruction(at, row, { reg: dr, rm: 0 }), ...instruction(at, rowOf('mov_from_dr'), { reg: dr, rm: 3 })];
  return { ...at, row, note: `DR${dr}`, code, gpr: { 0: value6, 3: 0x3333n }, cr4: s.one(3) ? 8 : 0 };
};

/** General detect: the first MOV to or from a debug register is refused by #DB. */
const generalDetect = (s: Stream): SystemCase => {
  const at = somePlace(s, undefined, [0]);
  const row = rowOf(s.one(2) ? 'mov_from_dr' : 'mov_to_dr');
  const code = [...instruction(at, rowOf('mov_to_dr'), { reg: 7, rm: 0 }), ...instruction(at, row, { reg: s.pick([0, 3, 6, 7]), rm: 3 })];
  return { ...at, row, note: 'general detect', code, gpr: { 0: 0x2400n, 3: 0x400n } };
};

const UNKNOWN_MSRS = [0x0, 0x11, 0x20, 0x200000, 0x40000000, 0xbfffffff, 0xc0000104, 0xdeadbeef] as const;
/** Registers whose change would take the harness's ground away, or whose value is the machine's own. */
const HANDS_OFF = new Set(['TSC', 'APIC_BASE', 'DEBUGCTL', 'PATCH_LEVEL']);

const modelSpecific = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const known = MSRS.filter((each) => !HANDS_OFF.has(each.name));
  const chosen = s.one(6) ? null : s.pick(known);
  const number = chosen?.number ?? s.pick(UNKNOWN_MSRS);
  if (s.one(3))
    return {
      ...at,
      row: rowOf('rdmsr'),
      note: `RDMSR ${chosen?.name ?? number.toString(16)}`,
      code: [0x0f, 0x32],
      gpr: { 0: 1n, 1: BigInt(number) | (s.one(4) ? 1n << 40n : 0n), 2: 2n },
    };
  const efer = chosen?.name === 'EFER';
  const long = isLong(at.mode) ? 0x100 : 0;
  const value = efer
    ? BigInt(long ^ s.pick([0, 1, 0x800, 0x801, 0x400, 0x2000, 0x4000, 0x1000, 0x100, 2, 0x10000]))
    : someValue(s, chosen?.name ?? '');
  const code = [0x0f, 0x30, 0x31, 0xc0, 0x31, 0xd2, 0x0f, 0x32];
  const restored: readonly Action[] =
    chosen && chosen.read_only !== true && !efer ? [{ do: 'msr', msr: number, value: BigInt(chosen.reset) }] : [];
  return {
    ...at,
    row: rowOf('wrmsr'),
    note: `WRMSR ${chosen?.name ?? number.toString(16)} := ${value.toString(16)}`,
    code,
    gpr: { 0: value & 0xffffffffn, 1: BigInt(number), 2: value >> 32n },
    after: restored,
  };
};

const someValue = (s: Stream, name: string): bigint => {
  if (name === 'PAT' || name.startsWith('MTRRfix'))
    return s.one(2) ? 0x0706050401000706n ^ (BigInt(s.below(8)) << BigInt(8 * s.below(8))) : s.bits64();
  if (s.one(3)) return 1n << BigInt(s.below(64));
  if (s.one(3)) return BigInt(s.bits());
  return s.pick([0n, 0x7fffffffffffn, 0x800000000000n, 0xffff800000000000n, 0xffff7fffffffffffn, s.bits64()]);
};

/** LGDT and LIDT with images that name the same tables, other limits; SGDT and SIDT read them back. */
const tables = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const which = s.pick(['lgdt', 'lidt', 'sgdt', 'sidt'] as const);
  const row = rowOf(which);
  const long = isLong(at.mode);
  const base = which === 'lgdt' ? GDT : at.mode === 'real' ? IVT : long ? IDT64 : IDT32;
  const limit =
    which === 'lgdt'
      ? s.pick([0x1ff, 0x8f, 0xffff])
      : at.mode === 'real'
        ? 0xff
        : long
          ? s.pick([0x3ff, 0x10f, 0xffff])
          : s.pick([0x1ff, 0x87, 0xffff]);
  // With 16 bits the base has 24: what stands above them must not count.
  const other: { other?: true } = s.one(4) && bitsOf(at.mode) !== 32 ? { other: true } : {};
  const image = [limit | (base << 16), (base >>> 16) | (other.other !== true && s.one(3) && bitsOf(at.mode) === 16 ? 0xab00 : 0), 0];
  const memory = dataOffset(at);
  const back = instruction(at, rowOf(which.endsWith('gdt') ? 'sgdt' : 'sidt'), { memory: dataOffset(at, 0x20) });
  const values = at.mode === '64' && which.startsWith('l') && s.one(5) ? [image[0], 0, 0x8000] : image;
  return {
    ...at,
    row,
    note: which,
    code: [...instruction(at, row, { memory, ...other }), ...back],
    before: store(dataAt(at), values),
    cr4: s.one(4) ? 0x800 : 0,
  };
};

const statusWord = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const which = s.pick(['lmsw', 'smsw', 'clts'] as const);
  const row = rowOf(which, which === 'smsw' ? s.pick(['mem', 'reg']) : '');
  const operand = s.one(2) ? { memory: dataOffset(at) } : {};
  // In real mode LMSW must not set PE.
  const value = at.mode === 'real' ? s.below(8) << 1 : s.below(0x10000);
  const size = s.one(4) ? { other: true } : at.mode === '64' && s.one(3) ? { wide: true } : {};
  return {
    ...at,
    row,
    note: which,
    code: [...instruction(at, row, { ...operand, ...(which === 'smsw' ? size : {}) }), ...instruction(at, rowOf('mov_from_cr'), { rm: 3 })],
    gpr: { 0: 0xffff0000n | BigInt(value) },
    before: store(dataAt(at), [value]),
    cr0: s.one(2) ? CR0.ts : 0,
    cr4: s.one(4) ? 0x800 : 0,
  };
};

export const REGISTERS: readonly Family[] = [
  { name: 'control register', weight: 5, privileged: /^mov_(to|from)_cr$/, make: controlRegister },
  { name: 'debug register', weight: 3, privileged: /^mov_(to|from)_dr$/, make: debugRegister },
  { name: 'general detect', weight: 1, privileged: /^mov_(to|from)_dr$/, make: generalDetect },
  { name: 'MSR', weight: 5, privileged: /^(rd|wr)msr$/, make: modelSpecific },
  { name: 'descriptor table', weight: 2, privileged: /^[ls][gi]dt$/, make: tables },
  { name: 'status word', weight: 2, privileged: /^([ls]msw|clts)$/, make: statusWord },
];
