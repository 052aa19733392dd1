/** Which flags a level may change with POPF and IRET. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { AC, ARITHMETIC, DF, ID, IF, NT, RF, TF } from '../flags.ts';
import type { Running } from '../running.ts';

export const { VM, IOPL, VIF, VIP } = RFLAGS;

/** Flags that a value of `size` bytes has room for. */
export const withinSize = (size: number): number => (size === 2 ? 0xffff : -1);

export const ioplOf = (flags: number): number => (flags & IOPL) >> 12;

/** x86/iret-flags: IF is for levels up to IOPL; IOPL, VIF and VIP for level 0. VM is another matter. */
export const returnable = ({ system: { cpl }, flags }: Running, size: number): number => {
  const all = ARITHMETIC | TF | DF | NT | RF | AC | ID;
  const ifToo = cpl <= ioplOf(flags) ? IF : 0;
  const ioplToo = cpl === 0 ? IOPL | VIF | VIP : 0;
  return (all | ifToo | ioplToo) & withinSize(size);
};
