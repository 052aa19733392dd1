/** The guest's debug registers. Chapter: spec/chapters/misc.md. */
import { addressOk } from '../guest_copy.ts';
import type { Vcpu } from '../vcpu.ts';
import { type Word, word } from '../word/word.ts';

/** DR0 to DR3, DR6, DR7 stand in Vcpu.dr in this order. */
const DR6 = 4;
const DR7 = 5;

const DR6_WRITABLE = 0xffffefff | 0;
const DR6_ONES = 0xffff0ff0 | 0;
const DR7_WRITABLE = 0xffff27ff | 0;
const DR7_ONES = 0x400;
const GENERAL_DETECT = 0x2000;
const ENABLES = 0xff;
/** Kind of access of a breakpoint: two bits each from bit 16, every four bits. */
const IO = 2;
const CR4_DE = 8;

export type Written =
  | { readonly kind: 'written'; readonly dr: readonly Word[]; readonly ioBreakpoints: number }
  | { readonly kind: 'EPERM' | 'EINVAL' | 'ENODEV' };

/** DR4 and DR5 are other names of DR6 and DR7 unless CR4.DE is set. */
const register = (vcpu: Vcpu, number: number): number | null => {
  if (number < 4) return number;
  if (number > 7 || (number < 6 && (vcpu.cr4.lo & CR4_DE) !== 0)) return null;
  return number === 4 || number === 6 ? DR6 : DR7;
};

/** The register's value; null when there is none with this number. */
export const readDebugRegister = (vcpu: Vcpu, number: number): Word | null => {
  const index = register(vcpu, number);
  if (index === null) return null;
  return index === DR7 ? word(0, vcpu.dr[DR7].lo | vcpu.ioBreakpoints) : vcpu.dr[index];
};

/** The registers after a write, or why it is refused. */
export const writeDebugRegister = (vcpu: Vcpu, number: number, value: Word): Written => {
  const index = register(vcpu, number);
  if (index === null) return { kind: 'ENODEV' };
  if (index < DR6) return addressOk(value) ? written(vcpu, index, value) : { kind: 'EPERM' };
  if (value.hi !== 0) return { kind: 'EINVAL' };
  if (index === DR6) return written(vcpu, index, word(0, (value.lo & DR6_WRITABLE) | DR6_ONES));
  if ((value.lo & GENERAL_DETECT) !== 0) return { kind: 'EPERM' };
  const control = (value.lo & DR7_WRITABLE) | DR7_ONES;
  if ((control & ENABLES) === 0) return { kind: 'written', dr: vcpu.dr.with(DR7, word(0, control)), ioBreakpoints: 0 };
  const onPorts = [0, 1, 2, 3].filter((n) => ((control >>> (16 + 4 * n)) & 3) === IO);
  if (onPorts.length > 0 && (vcpu.cr4.lo & CR4_DE) === 0) return { kind: 'EPERM' };
  const ioBreakpoints = onPorts.reduce((bits, n) => bits | (control & (3 << (2 * n))), 0);
  return { kind: 'written', dr: vcpu.dr.with(DR7, word(0, control & ~ioBreakpoints)), ioBreakpoints };
};

const written = (vcpu: Vcpu, index: number, value: Word): Written => ({
  kind: 'written',
  dr: vcpu.dr.with(index, value),
  ioBreakpoints: vcpu.ioBreakpoints,
});
