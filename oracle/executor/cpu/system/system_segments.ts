/** LDTR and TR: LLDT, LTR, SLDT, STR. Source: Intel SDM volume 2; AMD APM volume 3. */
import { CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import { linear, next, source, writable } from '../address.ts';
import { isCanonical } from '../canonical.ts';
import type { Cpu } from '../cpu.ts';
import { GP, NP } from '../exit.ts';
import { CPL, CR4 } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import { getRegister, peek, poke, setRegister } from '../operand.ts';
import { USABLE } from '../segment_rights.ts';
import { high, isLong } from './access.ts';
import {
  type Descriptor,
  fetch,
  fetchSystem,
  indexOf,
  isNull,
  isOrdinary,
  isPresent,
  LDTR,
  limitOf,
  markBusy,
  rightsOf,
  setHidden,
  setNull,
  systemBaseOf,
  TR,
  TYPE,
  typeOf,
} from './descriptor.ts';

/** UMIP keeps ring 1 to 3 from reading where tables lie. */
export const checkUmip = (c: Cpu): void => {
  if ((c.s[CR4] & CR4_BITS.UMIP) !== 0 && c.s[CPL] !== 0 && c.mode !== 'real') c.fault(GP, 0);
};

/** A 16-bit operand in a register or memory. */
export const selectorOperand = (c: Cpu, o: Op): number => (o.memory ? peek(c, source(c, o, 1), 2) : getRegister(c, o.a, 2)) & 0xffff;

const checkBase = (c: Cpu, d: Descriptor, error: number): void => {
  if (!isLong(c)) return;
  if (!isCanonical(high(systemBaseOf(d))) || (d.fourth & 0x1f00) !== 0) c.fault(GP, error);
};

/** Load LDTR; `vector` is #TS for tasks. */
export const loadLdt = (c: Cpu, selector: number, vector: number, ext: number): void => {
  if (isNull(selector)) {
    setNull(c, LDTR, selector);
    return;
  }
  const error = indexOf(selector) | ext;
  if ((selector & 4) !== 0) c.fault(vector, error);
  const d = fetchSystem(c, selector, vector, ext);
  if (isOrdinary(d) || typeOf(d) !== TYPE.LDT) c.fault(vector, error);
  checkBase(c, d, error);
  if (!isPresent(d)) c.fault(vector === GP ? NP : vector, error);
  setHidden(c, LDTR, selector, systemBaseOf(d), limitOf(d), rightsOf(d) | USABLE);
};

export const lldt: Handler = (c, o) => {
  loadLdt(c, selectorOperand(c, o), GP, 0);
  return o.next;
};

export const ltr: Handler = (c, o) => {
  const selector = selectorOperand(c, o);
  const error = indexOf(selector);
  if (isNull(selector)) c.fault(GP, 0);
  if ((selector & 4) !== 0) c.fault(GP, error);
  const first = fetch(c, selector);
  const type = typeOf(first);
  const available = type === TYPE.TSS32 || (type === TYPE.TSS16 && !isLong(c));
  if (isOrdinary(first) || !available) c.fault(GP, error);
  const d = fetchSystem(c, selector);
  checkBase(c, d, error);
  if (!isPresent(d)) c.fault(NP, error);
  markBusy(c, d, true);
  setHidden(c, TR, selector, systemBaseOf(d), limitOf(d), rightsOf(d) | 2 | USABLE);
  return o.next;
};

/** Store a selector: memory takes 16 bits whatever the operand size, a register all of its size. */
const storeSelector =
  (register: number): Handler =>
  (c, o) => {
    checkUmip(c);
    const selector = c.selectors[register];
    if (!o.memory) {
      setRegister(c, o.a, o.size, selector, 0);
      return o.next;
    }
    const at = linear(c, o);
    poke(c, writable(c, o, at, c.high, 1), 2, selector, 0);
    return next(c, o);
  };
export const sldt = storeSelector(LDTR);
export const str = storeSelector(TR);
