/** For tests: the processor of fixture.ts in another mode, at ring 3 or in real mode, with the same pages below. */
import { CR0 as CR0_BITS, EFER as EFER_BITS } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { CODE, type Fixture, fixture, STACK_END } from './fixture.ts';
import { CS, RSP } from './interface.ts';
import { CPL, CR0, EFER, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_RIGHTS, SYSTEM } from './layout.ts';
import { BIG, LONG, RING3_CODE64, RING3_DATA } from './segment_rights.ts';

export type Segment = { readonly base?: number; readonly limit?: number; readonly rights?: number };

/** Give a segment register a hidden part; what is left out stays. `cpu.refresh()` has to follow. */
export const setSegment = ({ cpu }: Fixture, segment: number, { base, limit, rights }: Segment): void => {
  if (base !== undefined) cpu.s[SEGMENT_BASE + 2 * segment] = base;
  if (limit !== undefined) cpu.s[SEGMENT_LIMIT + segment] = limit;
  if (rights !== undefined) cpu.s[SEGMENT_RIGHTS + segment] = rights;
};

const CODE_RIGHTS = RING3_CODE64 & ~LONG;
/** Where 16-bit code has its segments: CS begins at the code, SS right below the end of the stack. */
export const STACK_BASE16 = Number(STACK_END) - 0x4000;

/** Code at CODE in a mode. 32 bits: all segments flat; 16 bits: 64 KiB from CODE for CS, a stack of 16 KiB, flat data without 4 GiB. */
export const legacyFixture = (mode: Exclude<X86Mode, '64'>, bytes: readonly number[]): Fixture => {
  const f = fixture(bytes);
  const { cpu } = f;
  const wide = mode.endsWith('32');
  if (!mode.startsWith('compat')) cpu.s[EFER] &= ~EFER_BITS.LMA;
  if (mode === 'real') {
    cpu.s[CR0] &= ~CR0_BITS.PE;
    cpu.s[CPL] = 0;
  }
  if (mode === 'v86') cpu.s[SYSTEM] |= RFLAGS.VM;
  setSegment(f, CS, { base: wide ? 0 : Number(CODE), limit: wide ? -1 : 0xffff, rights: wide ? CODE_RIGHTS | BIG : CODE_RIGHTS & ~BIG });
  if (!wide) {
    setSegment(f, 2, { base: STACK_BASE16, limit: 0xffff, rights: RING3_DATA & ~BIG });
    cpu.setGpr(RSP, 0x4000n);
  }
  cpu.refresh();
  return f;
};
