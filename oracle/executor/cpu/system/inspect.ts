/** Looking at descriptors without loading them: LAR, LSL, VERR, VERW. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { source } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { arithmeticFlags, setArithmeticFlags } from '../flags.ts';
import { CPL } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import { getRegister, peek, setRegister } from '../operand.ts';
import { isLong } from './access.ts';
import {
  type Descriptor,
  dplOf,
  find,
  isCode,
  isConforming,
  isNull,
  isOrdinary,
  isReadable,
  isWritableData,
  limitOf,
  rpl,
  TYPE,
  typeOf,
} from './descriptor.ts';
import { selectorOperand } from './system_segments.ts';

const { ZF } = RFLAGS;

const setZero = (c: Cpu, value: boolean): void => setArithmeticFlags(c, (arithmeticFlags(c) & ~ZF) | (value ? ZF : 0));

/** Types of system descriptors that LAR and LSL tell about. */
const LSL_TYPES: readonly number[] = [TYPE.TSS16, TYPE.LDT, TYPE.TSS16_BUSY, TYPE.TSS32, TYPE.TSS32_BUSY];
const LAR_TYPES: readonly number[] = [...LSL_TYPES, TYPE.CALL16, TYPE.TASK, TYPE.CALL32];
const ONLY_LEGACY: readonly number[] = [TYPE.TSS16, TYPE.TSS16_BUSY, TYPE.CALL16, TYPE.TASK];

/** The descriptor of a selector if it may be seen from here, by privilege and type. */
const visible = (c: Cpu, selector: number, types: readonly number[]): Descriptor | null => {
  if (isNull(selector)) return null;
  const d = find(c, selector);
  if (d === null) return null;
  const type = typeOf(d);
  const known = isOrdinary(d) || (types.includes(type) && !(isLong(c) && ONLY_LEGACY.includes(type)));
  if (!known) return null;
  if (isLong(c) && !isOrdinary(d) && find(c, selector, 16) === null) return null;
  return isConforming(d) || isPrivileged(c, selector, d) ? d : null;
};

const isPrivileged = (c: Cpu, selector: number, d: Descriptor): boolean => dplOf(d) >= c.s[CPL] && dplOf(d) >= rpl(selector);

/** The selector operand of LAR and LSL, behind the destination. */
const second = (c: Cpu, o: Op): number => (o.memory ? peek(c, source(c, o, 1), 2) : getRegister(c, o.b, 2)) & 0xffff;

const tell =
  (types: readonly number[], value: (d: Descriptor) => number): Handler =>
  (c, o) => {
    const d = visible(c, second(c, o), types);
    if (d !== null) setRegister(c, o.a, o.size, value(d), 0);
    setZero(c, d !== null);
    return o.next;
  };
export const lar = tell(LAR_TYPES, (d) => d.hi & 0xffff00);
export const lsl = tell(LSL_TYPES, limitOf);

const verify =
  (fits: (d: Descriptor) => boolean): Handler =>
  (c, o) => {
    const selector = selectorOperand(c, o);
    const d = isNull(selector) ? null : find(c, selector);
    setZero(c, d !== null && isOrdinary(d) && fits(d) && ((isCode(d) && isConforming(d)) || isPrivileged(c, selector, d)));
    return o.next;
  };
export const verr = verify(isReadable);
export const verw = verify(isWritableData);
