/** Stores: FST, FIST, FBSTP and their popping forms. */
import { DECIMAL_INDEFINITE, toDecimal } from '../../../../fp/bcd.ts';
import { deliver } from '../../../../fp/deliver.ts';
import { IE, OE, type Rounding, TRUNCATE, UE } from '../../../../fp/exception.ts';
import { BINARY32, BINARY64, type Format } from '../../../../fp/format.ts';
import { type Converted, integerIndefinite, toInteger } from '../../../../fp/integer.ts';
import { refusedByX87 } from '../../../../fp/nan.ts';
import { INDEFINITE, type Nan, type Numeric, type Value } from '../../../../fp/value.ts';
import type { Memory } from '../../../../memory/memory.ts';
import { fromBigInt } from '../../../../word/word.ts';
import { writeBlock } from '../../block.ts';
import { INDEFINITE_80, isEmpty, noted, popped, stBits, stRegister, unmasked, withRegister, withSt } from '../../fpu/stack.ts';
import type { Fpu } from '../../fpu/state.ts';
import { controlOf, STACK_FAULT } from '../../fpu/words.ts';
import type { Instruction } from '../../instruction.ts';
import { writeMemory } from '../../operand.ts';
import { citing, type Rules, type Running, type Semantics, withFpu } from '../../running.ts';
import { done, stValue, underflow } from './operand.ts';

/** What is to be stored, with what that raised. */
type Stored = { readonly bits: bigint; readonly flags: number; readonly up: boolean };
type Then = (fpu: Fpu) => Fpu;
const stay: Then = (fpu) => fpu;

/** Ten bytes are reached as eight, then as ten. */
const write = (s: Running, i: Instruction, bits: bigint): Memory => {
  if (i.dst.bytes !== 10) return writeMemory(s, i, i.dst, fromBigInt(BigInt.asUintN(8 * i.dst.bytes, bits)));
  const bytes = Uint8Array.from({ length: 10 }, (_, n) => Number((bits >> BigInt(8 * n)) & 0xffn));
  writeBlock(s, i, i.dst, bytes.subarray(0, 8), 0, 8);
  return writeBlock(s, i, i.dst, bytes);
};

/** Everything that unmasked keeps a result out of memory: all but precision. */
const STOPS = 0x1f;

/** Memory, stack and top stay as they are when an unmasked exception other than P is raised, but memory is reached first. */
const store = (s: Running, i: Instruction, { bits, flags, up }: Stored, then: Then): Running => {
  const fpu = noted(s.fpu, flags, up);
  const memory = write(s, i, bits);
  return unmasked(s.fpu, flags & STOPS) ? done(s, i, fpu, 'fp/x87-store_stopped') : withFpu(s, i, then(fpu), memory);
};

/** An empty register: the default answer is stored when that is masked. */
const storeEmpty = (s: Running, i: Instruction, bits: bigint, then: Then): Running => {
  const cited = citing(s, 'fp/x87-stack_underflow');
  return store(cited, i, { bits, flags: STACK_FAULT, up: false }, then);
};

const stored = (value: Numeric | Nan, before: number, format: Format, fpu: Fpu): Stored => {
  const { mode, masks } = controlOf(fpu);
  const { bits, flags, up } = deliver(value, format, { mode, masks, flushToZero: false });
  const range = flags & ~masks & (OE | UE);
  return range === 0 ? { bits, flags: flags | before, up } : { bits, flags: range, up: false };
};

/** Rounded to the memory's format. A denormal operand is not told. */
const toFloat = (value: Value, format: Format, fpu: Fpu): Stored => {
  const refused = refusedByX87(value, value);
  return refused ? stored(refused.value, refused.flags, format, fpu) : stored(value as Numeric, 0, format, fpu);
};

/** First byte of the form of FSTP that does not mind an empty register. */
const UNCHECKED = 0xd9;

/** FST, FSTP: to memory of 4, 8, 10 bytes, or to another register. */
const fstRule =
  (then: Then): Semantics =>
  (s, i) => {
    const empty = isEmpty(s.fpu, 0);
    if (i.dst.kind !== 'mem') {
      if (empty && i.row.opcode === UNCHECKED) return done(s, i, then(noted(s.fpu, 0, false)), 'fp/x87-fstp_unchecked');
      if (empty) return underflow(s, i, (fpu) => then(withSt(fpu, i.dst.index, INDEFINITE_80)));
      return done(s, i, then(withRegister(noted(s.fpu, 0, false), i.dst.index, stRegister(s.fpu, 0))));
    }
    if (i.dst.bytes === 10) {
      if (empty) return storeEmpty(s, i, INDEFINITE_80, then);
      return store(s, i, { bits: stBits(s.fpu, 0), flags: 0, up: false }, then);
    }
    const format = i.dst.bytes === 4 ? BINARY32 : BINARY64;
    if (empty) return storeEmpty(s, i, stored(INDEFINITE, 0, format, s.fpu).bits, then);
    return store(s, i, toFloat(stValue(s.fpu, 0), format, s.fpu), then);
  };

const whole = ({ integer, flags, up }: Converted, indefinite: bigint): Stored =>
  integer === null ? { bits: indefinite, flags: IE, up: false } : { bits: integer, flags, up };

/** FIST, FISTP, FISTTP: rounded to an integer of the memory's size. */
const fistRule =
  (then: Then, fixed?: Rounding): Semantics =>
  (s, i) => {
    const width = 8 * i.dst.bytes;
    const indefinite = integerIndefinite(width);
    if (isEmpty(s.fpu, 0)) return storeEmpty(s, i, indefinite, then);
    const mode = fixed ?? controlOf(s.fpu).mode;
    return store(s, i, whole(toInteger(stValue(s.fpu, 0), width, mode), indefinite), then);
  };

/** FBSTP: rounded to eighteen decimal digits. */
const fbstpRule: Semantics = (s, i) => {
  if (isEmpty(s.fpu, 0)) return storeEmpty(s, i, DECIMAL_INDEFINITE, popped);
  return store(s, i, whole(toDecimal(stValue(s.fpu, 0), controlOf(s.fpu).mode), DECIMAL_INDEFINITE), popped);
};

export const STORE_RULES: Rules = {
  fst: fstRule(stay),
  fstp: fstRule(popped),
  fist: fistRule(stay),
  fistp: fistRule(popped),
  fisttp: fistRule(popped, TRUNCATE),
  fbstp: fbstpRule,
};
