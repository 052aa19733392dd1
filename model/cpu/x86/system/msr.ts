/** RDMSR and WRMSR, by the table of spec/isa/x86/msrs.ts. Chapter: "Control registers and MSRs". */
import { NotModelled } from '#spec/failure.ts';
import { CR0, EFER, EFER_FEATURES } from '#spec/isa/x86/control_registers.ts';
import { MSRS, type MsrRow } from '#spec/isa/x86/msrs.ts';
import { isCanonical } from '../../../memory/translate.ts';
import { add, and, equal, fromHex, isZero, not, or, shr, sub, type Word, word } from '../../../word/word.ts';
import { generalProtection } from '../fault.ts';
import { changed, completed, type Running, type Semantics, setReg } from '../running.ts';
import { RAX, RCX, RDX } from '../state.ts';
import { hasFeature, physicalWidth } from './features.ts';
import { machineTicks } from './time_stamp.ts';

type Known = MsrRow & { readonly resetValue: Word; readonly writableBits: Word; readonly ignoredBits: Word };
const ROWS: ReadonlyMap<number, Known> = new Map(
  MSRS.map((row) => [
    row.number,
    { ...row, resetValue: fromHex(row.reset), writableBits: fromHex(row.writable), ignoredBits: fromHex(row.ignored ?? '0x0') },
  ]),
);

/** x86/msr-absent. */
const rowOf = (s: Running, number: number): Known => {
  const row = ROWS.get(number);
  if (!row || (row.feature && !hasFeature(s.platform, row.feature))) throw generalProtection(0, 'x86/msr-absent');
  return row;
};

/** The value of an MSR that has no other place in the state. */
export const heldMsr = ({ system: { msrs } }: Running, number: number): Word => msrs.get(number) ?? ROWS.get(number)!.resetValue;

const currentValue = (s: Running, row: Known): Word => {
  switch (row.effect) {
    case 'tsc':
      return add(machineTicks(s), heldMsr(s, row.number));
    case 'efer':
      return word(0, s.system.efer);
    case 'fs_base':
      return s.segments.fsBase;
    case 'gs_base':
      return s.segments.gsBase;
    default:
      return heldMsr(s, row.number);
  }
};

/** RDMSR: EDX:EAX ← the register that ECX names. */
export const rdmsr: Semantics = (s, i) => {
  const { hi, lo } = currentValue(s, rowOf(s, s.regs[RCX].lo >>> 0));
  return completed(s, i, { regs: setReg(setReg(s.regs, RAX, word(0, lo)), RDX, word(0, hi)) });
};

/** WRMSR: the register that ECX names ← EDX:EAX. */
export const wrmsr: Semantics = (s, i) => {
  const row = rowOf(s, s.regs[RCX].lo >>> 0);
  const value = word(s.regs[RDX].lo, s.regs[RAX].lo);
  const { system, segments } = row.effect === 'efer' ? withEfer(s, value) : stored(s, row, requireFit(s, row, value));
  return completed(s, i, { system, segments });
};

/** x86/msr-reserved: the bits of a value that are kept. */
const requireFit = (s: Running, row: Known, value: Word): Word => {
  const kept = or(row.writableBits, row.physical ? addressBits(s) : word(0, 0));
  const reserved = not(or(kept, row.ignoredBits));
  if (row.read_only || !isZero(and(value, reserved)) || !passes(row, value)) throw generalProtection(0, 'x86/msr-reserved');
  return and(value, kept);
};

const addressBits = (s: Running): Word => word(2 ** (physicalWidth(s.platform) - 32) - 1, ~0xfff);

const passes = ({ check, types = [] }: MsrRow, value: Word): boolean => {
  switch (check) {
    case 'canonical':
      return isCanonical(value);
    case 'memory_type':
      return types.includes(value.lo & 0xff);
    case 'memory_types':
      return [0, 1, 2, 3, 4, 5, 6, 7].every((n) => types.includes(shr(value, 8 * n).lo & 0xff));
    default:
      return true;
  }
};

const stored = (s: Running, row: Known, value: Word): Running => {
  switch (row.effect) {
    case 'fs_base':
      return changed(s, { segments: { ...s.segments, fsBase: value } });
    case 'gs_base':
      return changed(s, { segments: { ...s.segments, gsBase: value } });
    case 'tsc':
      return withHeld(s, row.number, sub(value, machineTicks(s)));
    case 'apic_base':
      if (!equal(value, row.resetValue)) throw new NotModelled('msr/apic_base');
      return s;
    case 'debugctl':
      if (!isZero(value)) throw new NotModelled('msr/debugctl');
      return s;
    default:
      return withHeld(s, row.number, value);
  }
};

/** The state with another value of an MSR that has no other place. */
export const withHeld = (s: Running, number: number, value: Word): Running =>
  changed(s, { system: { ...s.system, msrs: new Map(s.system.msrs).set(number, value) } });

const NAMES = Object.keys(EFER) as (keyof typeof EFER)[];

/** x86/efer-reserved, x86/efer-lme. */
const withEfer = (s: Running, value: Word): Running => {
  const { system } = s;
  const known = NAMES.filter((name) => {
    const { feature } = EFER_FEATURES[name];
    return feature === null || hasFeature(s.platform, feature);
  }).reduce((all, name) => all | EFER[name], 0);
  if (value.hi !== 0 || (value.lo & ~known) !== 0) throw generalProtection(0, 'x86/efer-reserved');
  const missing = NAMES.find((name) => EFER_FEATURES[name].not_modelled && (value.lo & EFER[name]) !== 0);
  if (missing) throw new NotModelled(`efer/${missing.toLowerCase()}`);
  if (((value.lo ^ system.efer) & EFER.LME) !== 0 && (system.cr0 & CR0.PG) !== 0) throw generalProtection(0, 'x86/efer-lme');
  return changed(s, { system: { ...system, efer: (value.lo & ~EFER.LMA) | (system.efer & EFER.LMA) } });
};
