/** PUSHF, POPF, and what a privilege may change of the flags; CLI and STI. */
import { NotModelled } from '#spec/failure.ts';
import { CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from './cpu.ts';
import { GP } from './exit.ts';
import { getFlags, setArithmeticFlags } from './flags.ts';
import { CPL, CR4, SYSTEM } from './layout.ts';
import { type Handler, type Op, STOP } from './op.ts';
import { peek } from './operand.ts';
import { moveSp, popPlace, push } from './stack.ts';

const { TF, IF, DF, IOPL, NT, RF, VM, AC, ID } = RFLAGS;

const iopl = (c: Cpu): number => (c.s[SYSTEM] & IOPL) >> 12;

/** Virtual-8086 code needs IOPL 3 for what touches IF. The extensions that lift this (CR4.VME) are not modelled. */
const checkV86 = (c: Cpu): void => {
  if (c.mode !== 'v86' || iopl(c) === 3) return;
  if ((c.s[CR4] & CR4_BITS.VME) !== 0) throw new NotModelled('cr4/vme');
  c.fault(GP, 0);
};

/** RF and VM read as 0. */
export const pushf: Handler = (c, o) => {
  checkV86(c);
  return push(c, o, getFlags(c) & ~(RF | VM), 0);
};

/** What POPF and IRET may change at the current privilege, besides the arithmetic flags. */
const changeable = (c: Cpu): number => {
  const always = TF | DF | NT | AC | ID;
  const cpl = c.s[CPL];
  if (cpl === 0 && c.mode !== 'v86') return always | IF | IOPL;
  return cpl <= iopl(c) ? always | IF : always;
};

/** Load the flags as POPF and IRET do: VIF and VIP keep their value, RF is cleared unless `resume` allows it. */
export const loadFlags = (c: Cpu, value: number, size: number, resume: number): void => {
  const mask = size === 2 ? changeable(c) & 0xffff : changeable(c);
  setArithmeticFlags(c, value);
  replaceSystemFlags(c, (c.s[SYSTEM] & ~(mask | RF)) | (value & (mask | resume)));
};

/** New flags other than the arithmetic ones; alignment checks may begin or end. */
export const replaceSystemFlags = (c: Cpu, value: number): void => {
  const before = c.s[SYSTEM];
  c.s[SYSTEM] = value;
  if (((before ^ value) & (AC | VM)) !== 0) c.refresh();
};

export const popf: Handler = (c, o) => {
  checkV86(c);
  const value = peek(c, popPlace(c, o.size), o.size);
  moveSp(c, o.size);
  const before = c.s[SYSTEM];
  loadFlags(c, value, o.size, 0);
  return afterFlags(c, o, before, o.next);
};

/** What follows new flags: with TF set steps are taken one at a time, and interrupts that are let in now come first. */
export const afterFlags = (c: Cpu, o: Op, before: number, follow: Op): Op => {
  const now = c.s[SYSTEM];
  if (c.platform.bare && (now & ~before & IF) !== 0) return c.pause(o);
  // With AC the code page may be another space's.
  return (now & TF) === 0 && ((now ^ before) & AC) === 0 ? follow : leaveForTrapFlag(c, follow);
};

/** With TF set, the burst ends before `follow`. */
export const leaveForTrapFlag = (c: Cpu, follow: Op): Op => {
  c.hold(follow);
  return STOP;
};

/** #GP(0) unless the privilege may change IF. Protected-mode virtual interrupts (CR4.PVI) are not modelled. */
const checkInterruptFlag = (c: Cpu): void => {
  checkV86(c);
  if (c.s[CPL] <= iopl(c) || c.real) return;
  if (c.s[CPL] === 3 && (c.s[CR4] & CR4_BITS.PVI) !== 0) throw new NotModelled('cr4/pvi');
  c.fault(GP, 0);
};

export const cli: Handler = (c, o) => {
  checkInterruptFlag(c);
  c.s[SYSTEM] &= ~IF;
  return o.next;
};

/** Interrupts are held off for one more instruction, if they were before. */
export const sti: Handler = (c, o) => {
  checkInterruptFlag(c);
  if ((c.s[SYSTEM] & IF) !== 0) return o.next;
  c.s[SYSTEM] |= IF;
  c.shadow = 'sti';
  return c.pause(o);
};
