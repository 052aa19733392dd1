/** Comparisons and FXAM: into the condition codes, or into the flags; FCMOVcc. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { compare, EQUAL, GREATER, LESS, UNORDERED } from '../../fp/compare.ts';
import { FINITE, type Fp, INDEFINITE, INFINITE, NAN, UNSUPPORTED, ZERO, zero } from '../../fp/number.ts';
import type { Cpu } from '../cpu.ts';
import { carry, parity, setArithmeticFlags, zero as zeroFlag } from '../flags.ts';
import { X87_STATUS } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { integerFrom, realFrom } from './memory.ts';
import { begin, C0, C1, C2, C3, conclude, isEmpty, placeOf, pop, read, underflow, write, writeBits } from './unit.ts';

const CODES: Readonly<Record<number, number>> = { [LESS]: C0, [EQUAL]: C3, [GREATER]: 0, [UNORDERED]: C0 | C2 | C3 };
const { ZF, PF, CF } = RFLAGS;
const FLAGS: Readonly<Record<number, number>> = { [LESS]: CF, [EQUAL]: ZF, [GREATER]: 0, [UNORDERED]: ZF | PF | CF };

const toCodes = (c: Cpu, order: number): void => {
  c.s[X87_STATUS] = (c.s[X87_STATUS] & ~(C0 | C2 | C3)) | CODES[order];
};
const toFlags = (c: Cpu, order: number): void => setArithmeticFlags(c, FLAGS[order]);

type Operand = (c: Cpu, o: Op) => Fp | null;
const register: Operand = (c, o) => (isEmpty(c, o.a) ? null : read(c, o.a));
/** Of FCOMI the first operand is ST. */
const second: Operand = (c, o) => (isEmpty(c, o.b) ? null : read(c, o.b));
const below: Operand = (c) => (isEmpty(c, 1) ? null : read(c, 1));
const positiveZero: Operand = () => zero(0);

/** The top against an operand. The order shows even when an exception is not masked; then nothing is popped. */
const comparing =
  (operand: Operand, signals: boolean, pops: number, show: (c: Cpu, order: number) => void): Handler =>
  (c, o) => {
    const b = o.memory ? operand(c, o) : null;
    const status = c.s[X87_STATUS];
    begin(c);
    const other = o.memory ? b : operand(c, o);
    let stays = false;
    if (isEmpty(c, 0) || other === null) {
      stays = !underflow(c);
      show(c, UNORDERED);
    } else {
      const order = compare(c.fp, read(c, 0), other, signals);
      stays = c.fp.prevented();
      conclude(c);
      // FCOMI and its like leave C1 alone unless the stack underflows.
      if (show === toFlags) c.s[X87_STATUS] |= status & C1;
      show(c, order);
    }
    if (!stays) for (let n = 0; n < pops; n++) pop(c);
    return o.next;
  };

const fcom =
  (pops: number): Build =>
  (_, __, form) =>
    comparing(form === 'm' ? realFrom : register, true, pops, toCodes);
const fixed =
  (handler: Handler): Build =>
  () =>
    handler;

/** C3 C2 C0 by class; C1 is the sign, of an empty register too. */
const CLASSES: Readonly<Record<number, number>> = { [UNSUPPORTED]: 0, [NAN]: C0, [FINITE]: C2, [INFINITE]: C2 | C0, [ZERO]: C3 };
const fxam: Handler = (c, o) => {
  const sign = (c.s[placeOf(c, 0) + 2] & 0x8000) !== 0 ? C1 : 0;
  const x = read(c, 0);
  const code = isEmpty(c, 0) ? C3 | C0 : x.denormal ? C3 | C2 : CLASSES[x.kind];
  c.s[X87_STATUS] = (c.s[X87_STATUS] & ~(C0 | C1 | C2 | C3)) | code | sign;
  return o.next;
};

const CONDITIONS: Readonly<Record<string, (c: Cpu) => boolean>> = {
  b: carry,
  e: zeroFlag,
  be: (c) => carry(c) || zeroFlag(c),
  u: parity,
};
const moves = (name: string, condition: (c: Cpu) => boolean): Readonly<Record<string, Build>> => {
  const moving =
    (wanted: boolean): Handler =>
    (c, o) => {
      if (isEmpty(c, 0) || isEmpty(c, o.b)) {
        begin(c);
        if (underflow(c)) write(c, 0, INDEFINITE);
      } else if (condition(c) === wanted) {
        const at = placeOf(c, o.b);
        writeBits(c, 0, c.s[at + 2], c.u64[at >> 1]);
      }
      return o.next;
    };
  return { [`fcmov${name}`]: fixed(moving(true)), [`fcmovn${name}`]: fixed(moving(false)) };
};

export const X87_COMPARISONS: BuildTable = {
  fcom: fcom(0),
  fcomp: fcom(1),
  fcompp: fixed(comparing(below, true, 2, toCodes)),
  fucom: fixed(comparing(register, false, 0, toCodes)),
  fucomp: fixed(comparing(register, false, 1, toCodes)),
  fucompp: fixed(comparing(below, false, 2, toCodes)),
  ficom: fixed(comparing(integerFrom, true, 0, toCodes)),
  ficomp: fixed(comparing(integerFrom, true, 1, toCodes)),
  ftst: fixed(comparing(positiveZero, true, 0, toCodes)),
  fcomi: fixed(comparing(second, true, 0, toFlags)),
  fcomip: fixed(comparing(second, true, 1, toFlags)),
  fucomi: fixed(comparing(second, false, 0, toFlags)),
  fucomip: fixed(comparing(second, false, 1, toFlags)),
  fxam: fixed(fxam),
  ...Object.assign({}, ...Object.entries(CONDITIONS).map(([name, condition]) => moves(name, condition))),
};
