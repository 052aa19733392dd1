/** What segment registers hold after loads, and the mode that follows from CS. */
import { CR0, EFER } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { word, ZERO } from '../../../word/word.ts';
import { CS, DS, ES, FS, GS, type Hidden, RIGHTS, type Segments, SS } from '../state.ts';
import { UNUSABLE } from './descriptor.ts';
import type { SystemState } from './state.ts';

/** A segment register with both its parts replaced. */
export const withSegment = (segments: Segments, register: number, selector: number, hidden: Hidden): Segments => {
  const selectors = segments.selectors.slice();
  selectors[register] = selector;
  const all = segments.hidden.slice();
  all[register] = register >= FS ? { ...hidden, base: ZERO } : hidden;
  const next = { ...segments, selectors, hidden: all };
  if (register === FS) return { ...next, fsBase: hidden.base };
  return register === GS ? { ...next, gsBase: hidden.base } : next;
};

/** The hidden part with its base, FS and GS included. */
export const hiddenIn = (segments: Segments, register: number): Hidden => {
  const hidden = segments.hidden[register];
  if (register === FS) return { ...hidden, base: segments.fsBase };
  return register === GS ? { ...hidden, base: segments.gsBase } : hidden;
};

export const withNull = (segments: Segments, register: number, selector: number): Segments =>
  withSegment(segments, register, selector, UNUSABLE);

/** x86/segment-v86: every segment of virtual-8086 mode has 64 KiB of data at 16 times its selector, for ring 3. */
export const withV86 = (segments: Segments, register: number, selector: number): Segments =>
  withSegment(segments, register, selector, { base: word(0, selector << 4), limit: 0xffff, rights: 0xf3, usable: true });

/** x86/segment-real: real mode sets the base alone; what was unusable becomes 64 KiB of data. */
export const withReal = (segments: Segments, register: number, selector: number): Segments => {
  const old = segments.hidden[register];
  const kept = old.usable ? old : { limit: 0xffff, rights: 0x93 };
  return withSegment(segments, register, selector, { base: word(0, selector << 4), limit: kept.limit, rights: kept.rights, usable: true });
};

/** The mode that control registers, RFLAGS.VM and CS make: x86/mode-choice. */
export const modeOf = ({ cr0, efer }: Pick<SystemState, 'cr0' | 'efer'>, flags: number, code: Hidden): X86Mode => {
  if ((cr0 & CR0.PE) === 0) return 'real';
  if ((flags & RFLAGS.VM) !== 0) return 'v86';
  const big = (code.rights & RIGHTS.BIG) !== 0;
  if ((efer & EFER.LMA) === 0) return big ? 'prot32' : 'prot16';
  if ((code.rights & RIGHTS.L) !== 0) return '64';
  return big ? 'compat32' : 'compat16';
};

/** System state for another CS, level or flags; the same object when nothing changes. */
export const inModeOf = (system: SystemState, flags: number, segments: Segments, cpl = system.cpl): SystemState => {
  const mode = modeOf(system, flags, segments.hidden[CS]);
  return mode === system.mode && cpl === system.cpl ? system : { ...system, mode, cpl };
};

/** x86/return-clears_segments: on the way to an outer ring, segments that it may not use become null. */
export const withoutInner = (segments: Segments, cpl: number): Segments =>
  [ES, FS, GS, DS].reduce((now, register) => {
    const { rights, usable } = now.hidden[register];
    const conforming = (rights & (RIGHTS.CODE | 4)) === (RIGHTS.CODE | 4);
    const dpl = (rights & RIGHTS.DPL) >> 5;
    return usable && !conforming && dpl < cpl ? withNull(now, register, 0) : now;
  }, segments);

export const REGISTERS = { ES, CS, SS, DS, FS, GS } as const;
