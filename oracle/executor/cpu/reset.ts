/** Registers as a processor of Xen's has them when it enters a PV guest: 64-bit mode, ring 3, paging on, x87 and SSE initialised. */
import { CR0 as CR0_BITS, CR4 as CR4_BITS, EFER as EFER_BITS } from '#spec/isa/x86/control_registers.ts';
import { CPL, CR0, CR4, EFER, MXCSR, SEGMENT_LIMIT, SEGMENT_RIGHTS, X87_CONTROL, XCR0 } from './layout.ts';
import { RING3_CODE64, RING3_DATA } from './segment_rights.ts';

/** Control word and MXCSR: all exceptions masked, round to nearest. */
const CONTROL_AT_START = 0x37f;
const MXCSR_AT_START = 0x1f80;

const { PE, MP, ET, NE, WP, AM, PG } = CR0_BITS;
const { PAE, PGE, OSFXSR, OSXMMEXCPT, OSXSAVE } = CR4_BITS;

export const resetRegisters = ({ s }: { readonly s: Int32Array }): void => {
  s[CPL] = 3;
  s[CR0] = PE | MP | ET | NE | WP | AM | PG;
  s[CR4] = PAE | PGE | OSFXSR | OSXMMEXCPT | OSXSAVE;
  s[EFER] = EFER_BITS.SCE | EFER_BITS.LME | EFER_BITS.LMA | EFER_BITS.NXE;
  // x87 and SSE.
  s[XCR0] = 3;
  s[X87_CONTROL] = CONTROL_AT_START;
  s[MXCSR] = MXCSR_AT_START;
  for (let segment = 0; segment < 6; segment++) {
    s[SEGMENT_LIMIT + segment] = -1;
    s[SEGMENT_RIGHTS + segment] = segment === 1 ? RING3_CODE64 : RING3_DATA;
  }
};
