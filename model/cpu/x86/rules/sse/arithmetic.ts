/** Arithmetic of packed and scalar single and double precision, comparisons, minimum and maximum, rounding. */
import { add, subtract } from '../../../../fp/add.ts';
import type { Order } from '../../../../fp/compare.ts';
import type { Rounding } from '../../../../fp/exception.ts';
import { BINARY32, BINARY64, type Format } from '../../../../fp/format.ts';
import { divide, multiply, squareRoot } from '../../../../fp/multiply.ts';
import { reciprocal, reciprocalRoot } from '../../../../fp/reciprocal.ts';
import type { Binary } from '../../../../fp/result.ts';
import { binaryElement, comparedElement, minimumElement, orderOf, unaryElement, wholeElement } from '../../../../fp/sse.ts';
import { AF, CF, OF, PF, SF, ZF } from '../../flags.ts';
import { citing, completed, type Rules, type Semantics } from '../../running.ts';
import { fourForms, lowest, type OnElements, operandElements, packedRule, scalarRule } from './elements.ts';
import { controlOfMxcsr, withRaised } from './mxcsr.ts';

export const binary =
  (operation: Binary): OnElements =>
  (a, b, format, control) =>
    binaryElement(operation, a, b, format, control);

const root: OnElements = (_, b, format, control) => unaryElement(squareRoot, b, format, control);
const extreme =
  (wanted: Order): OnElements =>
  (a, b, format, control) =>
    minimumElement(wanted, a, b, format, control);

const plainly =
  (f: (bits: bigint) => bigint): OnElements =>
  (_, b) => ({ before: 0, result: () => ({ bits: f(b), flags: 0 }) });

/** CMPccPS and its kin, by the low three bits of the immediate: EQ LT LE UNORD, then their opposites. */
const HOLDS: readonly ((order: Order) => boolean)[] = [
  (order) => order === 'equal',
  (order) => order === 'less',
  (order) => order === 'less' || order === 'equal',
  (order) => order === 'unordered',
  (order) => order !== 'equal',
  (order) => order !== 'less',
  (order) => order !== 'less' && order !== 'equal',
  (order) => order !== 'unordered',
];
/** Comparisons by size are invalid for quiet NaNs. */
const ordered = (predicate: number): boolean => (predicate & 3) === 1 || (predicate & 3) === 2;

const comparison: OnElements = (a, b, format, control, { third }) => {
  const predicate = third.value.lo & 7;
  return comparedElement(HOLDS[predicate], a, b, ordered(predicate), format, control);
};

/** ROUNDPS and its kin: the immediate's bit 2 takes the mode from MXCSR, bit 3 keeps P quiet. */
const rounding: OnElements = (_, b, format, control, { third }) => {
  const how = third.value.lo;
  const mode = (how & 4 ? control.mode : how & 3) as Rounding;
  return wholeElement(b, mode, (how & 8) !== 0, format, control);
};

const ORDER_FLAGS: Readonly<Record<Order, number>> = { less: CF, equal: ZF, greater: 0, unordered: ZF | PF | CF };

/** COMISS, UCOMISS: ZF PF CF by the order, OF SF AF cleared. */
const comiRule =
  (invalidWhenQuiet: boolean, format: Format): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const [b] = operandElements(s, i, i.src, format);
    const { order, flags } = orderOf(lowest(s.fpu.xmm[i.dst.index], format), b, invalidWhenQuiet, format, control);
    const after = withRaised(s, flags, (flags & ~control.masks) !== 0);
    return completed(after, i, { flags: (s.flags & ~(ZF | PF | CF | OF | SF | AF)) | ORDER_FLAGS[order] });
  };

/** fp/sse-minimum is noted where it may decide. */
const notingMinimum = (rules: Rules): Rules =>
  Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, (s, i) => rule(citing(s, 'fp/sse-minimum'), i)] as const));

export const SSE_ARITHMETIC_RULES: Rules = {
  ...fourForms('add', binary(add)),
  ...fourForms('sub', binary(subtract)),
  ...fourForms('mul', binary(multiply)),
  ...fourForms('div', binary(divide)),
  ...fourForms('sqrt', root),
  ...notingMinimum({ ...fourForms('min', extreme('less')), ...fourForms('max', extreme('greater')) }),
  ...fourForms('cmp', comparison),
  ...fourForms('round', rounding),
  rcpps: packedRule(plainly(reciprocal), BINARY32),
  rcpss: scalarRule(plainly(reciprocal), BINARY32),
  rsqrtps: packedRule(plainly(reciprocalRoot), BINARY32),
  rsqrtss: scalarRule(plainly(reciprocalRoot), BINARY32),
  comiss: comiRule(true, BINARY32),
  comisd: comiRule(true, BINARY64),
  ucomiss: comiRule(false, BINARY32),
  ucomisd: comiRule(false, BINARY64),
};
