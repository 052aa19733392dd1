/** What comes before an instruction of x87, MMX or SSE is carried out (Row.state): #UD, #NM, #MF, in this order. */
import { NotModelled } from '#spec/failure.ts';
import { CR0 as CR0_BITS, CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import type { RowState } from '#spec/isa/x86/row.ts';
import type { Cpu } from './cpu.ts';
import { MF, NM, UD } from './exit.ts';
import { CR0, CR4, X87_STATUS } from './layout.ts';
import type { Handler } from './op.ts';

const { MP, EM, TS, NE } = CR0_BITS;
/** Error summary of the status word: an unmasked exception is pending. */
const ES = 0x80;

const checkPending = (c: Cpu): void => {
  if ((c.s[X87_STATUS] & ES) === 0) return;
  if ((c.s[CR0] & NE) === 0) throw new NotModelled('instruction/ferr');
  c.fault(MF, null);
};

/** FPU instructions are trapped: because somebody wants that, or because Xen has not loaded the guest's registers yet. It does so now, and nobody notices. */
const trapped = (c: Cpu): void => {
  if (c.fpuLoaded || c.guestTaskSwitched) c.fault(NM, null);
  c.fpuLoaded = true;
  c.taskSwitched = false;
};

/** By state: the handler in front of `op.inner`. */
export const GUARDS: Readonly<Record<RowState, Handler>> = {
  x87: (c, o) => {
    if ((c.s[CR0] & (EM | TS)) !== 0) trapped(c);
    if ((c.s[X87_STATUS] & ES) !== 0) checkPending(c);
    return o.inner(c, o);
  },
  x87_nowait: (c, o) => {
    if ((c.s[CR0] & (EM | TS)) !== 0) trapped(c);
    return o.inner(c, o);
  },
  wait: (c, o) => {
    if ((c.s[CR0] & (MP | TS)) === (MP | TS)) trapped(c);
    checkPending(c);
    return o.inner(c, o);
  },
  mmx: (c, o) => {
    const cr0 = c.s[CR0];
    if ((cr0 & EM) !== 0) c.fault(UD, null);
    if ((cr0 & TS) !== 0) trapped(c);
    if ((c.s[X87_STATUS] & ES) !== 0) checkPending(c);
    return o.inner(c, o);
  },
  sse: (c, o) => {
    const cr0 = c.s[CR0];
    if ((cr0 & EM) !== 0 || (c.s[CR4] & CR4_BITS.OSFXSR) === 0) c.fault(UD, null);
    if ((cr0 & TS) !== 0) trapped(c);
    return o.inner(c, o);
  },
  fx: (c, o) => {
    if ((c.s[CR0] & (EM | TS)) !== 0) trapped(c);
    return o.inner(c, o);
  },
  xsave: (c, o) => {
    if ((c.s[CR4] & CR4_BITS.OSXSAVE) === 0) c.fault(UD, null);
    if ((c.s[CR0] & TS) !== 0) trapped(c);
    return o.inner(c, o);
  },
};
