/** CR0, CR2, CR3, CR4, CR8: reading and writing them, LMSW, SMSW and CLTS. Chapter: "Control registers and MSRs". */
import type { ClauseId } from '#spec/clauses.ts';
import { NotModelled } from '#spec/failure.ts';
import { CR0, CR0_WRITABLE, CR3, CR4, CR4_FEATURES, CR8_WRITABLE, EFER } from '#spec/isa/x86/control_registers.ts';
import { type Word, word } from '../../../word/word.ts';
import { type Exit, generalProtection } from '../fault.ts';
import { finish, read } from '../operand.ts';
import { changed, citing, completed, type Running, type Semantics, setReg, withSystem } from '../running.ts';
import { CS, RIGHTS } from '../state.ts';
import { hasFeature, physicalWidth } from './features.ts';
import { requirePdptes } from './pdpte.ts';
import { inModeOf } from './segments.ts';
import type { SystemState } from './state.ts';
import { requireUmip } from './umip.ts';

const refused = (clause: ClauseId): Exit => generalProtection(0, clause);
const isLong = ({ efer }: SystemState): boolean => (efer & EFER.LMA) !== 0;

/** The state with a new CR0. x86/cr0-protection, x86/cr0-long. */
export const withCr0 = (s: Running, value: Word): Running => {
  const { system } = s;
  const cr0 = (value.lo & CR0_WRITABLE) | CR0.ET;
  const has = (flag: number): boolean => (cr0 & flag) !== 0;
  if (value.hi !== 0 || (has(CR0.PG) && !has(CR0.PE)) || (has(CR0.NW) && !has(CR0.CD))) throw refused('x86/cr0-protection');
  const paged = (system.cr0 & CR0.PG) !== 0;
  const efer = has(CR0.PG) ? (paged ? system.efer : activated(s)) : paged ? deactivated(s) : system.efer;
  const next: SystemState = { ...system, cr0, efer, cpl: has(CR0.PE) === ((system.cr0 & CR0.PE) !== 0) ? system.cpl : 0 };
  const after = changed(s, { system: inModeOf(next, s.flags, s.segments, next.cpl) });
  if (has(CR0.PG) && !paged) requirePdptes(after);
  return after;
};

/** Paging goes on: long mode begins with it when EFER.LME asks for it. */
const activated = ({ system: { efer, cr4 }, segments }: Running): number => {
  if ((efer & EFER.LME) === 0) return efer;
  if ((cr4 & CR4.PAE) === 0 || (segments.hidden[CS].rights & RIGHTS.L) !== 0) throw refused('x86/cr0-long');
  return efer | EFER.LMA;
};

const deactivated = ({ system: { efer, cr4, mode } }: Running): number => {
  if (mode === '64' || (cr4 & CR4.PCIDE) !== 0) throw refused('x86/cr0-long');
  return efer & ~EFER.LMA;
};

/** The state with a new CR3. x86/cr3-reserved, x86/cr3-pdpte. */
export const withCr3 = (s: Running, value: Word): Running => {
  const { system } = s;
  if (!isLong(system)) return pdptesChecked(changed(s, { system: { ...system, cr3: word(0, value.lo) } }));
  const width = physicalWidth(s.platform);
  const noFlush = (system.cr4 & CR4.PCIDE) !== 0 ? 1 << (CR3.NOFLUSH_BIT - 32) : 0;
  const allowed = (width >= 64 ? -1 : 2 ** (width - 32) - 1) | noFlush;
  if ((value.hi & ~allowed) !== 0) throw refused('x86/cr3-reserved');
  return changed(s, { system: { ...system, cr3: word(value.hi & ~noFlush, value.lo) } });
};

const pdptesChecked = (s: Running): Running => {
  requirePdptes(s);
  return s;
};

const NAMES = Object.keys(CR4) as (keyof typeof CR4)[];

/** The state with a new CR4. x86/cr4-reserved, x86/cr4-long. */
export const withCr4 = (s: Running, value: Word): Running => {
  const { system } = s;
  const known = NAMES.filter((name) => featured(s, CR4_FEATURES[name].feature)).reduce((all, name) => all | CR4[name], 0);
  if (value.hi !== 0 || (value.lo & ~known) !== 0) throw refused('x86/cr4-reserved');
  const cr4 = value.lo;
  const missing = NAMES.find((name) => CR4_FEATURES[name].not_modelled && (cr4 & CR4[name]) !== 0);
  if (missing) throw new NotModelled(`cr4/${missing.toLowerCase()}`);
  const sets = cr4 & ~system.cr4;
  const wrong = isLong(system)
    ? (cr4 & CR4.PAE) === 0 || ((sets & CR4.PCIDE) !== 0 && (system.cr3.lo & CR3.PCID) !== 0)
    : (cr4 & CR4.PCIDE) !== 0;
  if (wrong) throw refused('x86/cr4-long');
  const after = changed(s, { system: { ...system, cr4 } });
  if ((sets & CR4.PAE) !== 0) requirePdptes(after);
  return after;
};

const featured = (s: Running, feature: (typeof CR4_FEATURES)[keyof typeof CR4]['feature']): boolean =>
  feature === null || hasFeature(s.platform, feature);

const withCr8 = (s: Running, value: Word): Running => {
  if (value.hi !== 0 || (value.lo & ~CR8_WRITABLE) !== 0) throw refused('x86/cr8-reserved');
  return changed(s, { system: { ...s.system, cr8: value.lo } });
};

/** What a register-wide move carries: 64 bits in 64-bit mode, else 32. */
export const wide = (s: Running, value: Word): Word => (s.system.mode === '64' ? value : word(0, value.lo));

export const movFromControl: Semantics = (s, i) => {
  const { cr0, cr2, cr3, cr4, cr8 } = s.system;
  const values: Readonly<Record<number, Word>> = { 0: word(0, cr0), 2: cr2, 3: cr3, 4: word(0, cr4), 8: word(0, cr8) };
  return completed(s, i, { regs: setReg(s.regs, i.dst.index, wide(s, values[i.src.index])) });
};

export const movToControl: Semantics = (s, i) => withSystem(s, i, written(s, i.dst.index, wide(s, s.regs[i.src.index])).system);

const written = (s: Running, register: number, value: Word): Running => {
  switch (register) {
    case 0:
      return withCr0(s, value);
    case 3:
      return withCr3(s, value);
    case 4:
      return withCr4(s, value);
    case 8:
      return withCr8(s, value);
    default:
      return changed(s, { system: { ...s.system, cr2: value } });
  }
};

const LMSW_BITS = CR0.MP | CR0.EM | CR0.TS;

/** LMSW cannot clear PE. */
export const lmsw: Semantics = (s, i) => {
  const value = read(s, i, i.dst).lo;
  const cr0 = (s.system.cr0 & ~LMSW_BITS) | (value & (LMSW_BITS | CR0.PE));
  return withSystem(citing(s, 'x86/lmsw-pe'), i, withCr0(s, word(0, cr0)).system);
};

/** SMSW: a register gets as much of CR0 as it has room for, memory 16 bits. */
export const smsw: Semantics = (s, i) => {
  requireUmip(s);
  return finish(s, i, i.dst, word(0, s.system.cr0));
};

export const clts: Semantics = (s, i) => withSystem(s, i, { ...s.system, cr0: s.system.cr0 & ~CR0.TS });
