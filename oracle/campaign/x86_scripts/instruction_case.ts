/** Cases of single instructions as scripts hold them, and what the processor answered. */
import type { FxText, InstructionAnswer, InstructionScriptCase } from '#traces/conformance_x86.ts';
import type { InstructionCase } from '../../image/instruction/case.ts';
import { type FxState, fxImageOf, fxStateOf } from '../../image/instruction/fx_state.ts';
import type { SiliconResult } from '../../peers/silicon/format.ts';
import { rowLabel } from '../isa/row_label.ts';
import { bytesOf, hex, hexOf, hexOr, registersText, registerValues, small, wide, without } from './numbers.ts';
import { rowNamed } from './system_case.ts';

const numbered = (values: readonly bigint[]): Record<string, string> | undefined =>
  without(Object.fromEntries(values.map((value, n) => [String(n), hexOr(value)])) as Record<string, string>);
const all = (count: number, texts: Readonly<Record<string, string | undefined>> = {}): readonly bigint[] =>
  Array.from({ length: count }, (_, n) => wide(texts[String(n)]));

const fxText = (image: Uint8Array | null): FxText | undefined => {
  if (image === null) return undefined;
  const { control, status, tag, mxcsr, registers, xmm } = fxStateOf(image);
  const numbers = { control: hexOr(control), status: hexOr(status), tag: hexOr(tag), mxcsr: hexOr(mxcsr) };
  return without({ ...numbers, x87: numbered(registers), xmm: numbered(xmm) }) ?? {};
};
const fxOf = (text: FxText | undefined): Uint8Array | null => {
  if (text === undefined) return null;
  const { control, status, tag, mxcsr } = text;
  const state: FxState = {
    control: small(control),
    status: small(status),
    tag: small(tag),
    mxcsr: small(mxcsr),
    registers: all(8, text.x87),
    xmm: all(16, text.xmm),
  };
  return fxImageOf(state);
};

const selectorTexts = (numbers: ArrayLike<number>): string[] => Array.from(numbers, (n) => hex(n));
const stretch = ({ at, bytes }: { readonly at: number; readonly bytes: Uint8Array }) => ({ at: hex(at), bytes: hexOf(bytes) });
const stretchOf = ({ at, bytes }: { readonly at: string; readonly bytes: string }) => ({ at: small(at), bytes: bytesOf(bytes) });

export const instructionText = (c: InstructionCase): InstructionScriptCase =>
  without({
    instruction: rowLabel(c.row),
    mode: c.mode,
    way: c.way,
    size: c.size,
    destination: c.destination,
    form: c.form,
    code: hexOf(c.code),
    rip: hex(c.rip),
    segments: c.segments === null ? undefined : selectorTexts(c.segments),
    registers: registersText(c.regs),
    flags: hex(c.flags),
    fsBase: hexOr(c.fsBase),
    gsBase: hexOr(c.gsBase),
    fx: fxText(c.fx),
    memory: c.memory === null ? undefined : hex(c.memory),
    pokes: c.pokes.length === 0 ? undefined : c.pokes.map(stretch),
    selectors: c.selectors.length === 0 ? undefined : c.selectors.map((selector) => ({ ...selector })),
  })! as InstructionScriptCase;

/** Throws BadInput when it names no row of the opcode table. */
export const instructionCaseOf = (text: InstructionScriptCase, seed: number | null): InstructionCase => ({
  row: rowNamed(text.instruction),
  mode: text.mode,
  seed: seed ?? 0,
  way: text.way,
  size: text.size,
  destination: text.destination,
  form: text.form,
  code: bytesOf(text.code),
  rip: small(text.rip),
  segments: text.segments?.map(small) ?? null,
  regs: BigUint64Array.from(registerValues(text.registers)),
  flags: small(text.flags),
  fsBase: wide(text.fsBase),
  gsBase: wide(text.gsBase),
  fx: fxOf(text.fx),
  memory: text.memory === undefined ? null : wide(text.memory),
  pokes: text.pokes?.map(stretchOf) ?? [],
  selectors: text.selectors ?? [],
});

/** An answer as it stands in a script; null for one that no script can hold. */
export const instructionAnswer = (r: SiliconResult): InstructionAnswer | null =>
  r.end === 'time'
    ? null
    : (without({
        end: r.end,
        vector: hexOr(r.vector),
        error: hexOr(r.error),
        address: hexOr(r.address),
        registers: registersText(r.regs),
        rip: hex(r.rip),
        flags: hex(r.flags),
        fsBase: hexOr(r.fsBase),
        gsBase: hexOr(r.gsBase),
        fx: fxText(r.fx),
        selectors: selectorTexts(r.selectors),
        changes: r.changes.map(stretch),
      })! as InstructionAnswer);

export const siliconResultOf = (text: InstructionAnswer): SiliconResult => ({
  end: text.end,
  vector: small(text.vector),
  error: small(text.error),
  address: wide(text.address),
  regs: BigUint64Array.from(registerValues(text.registers)),
  rip: wide(text.rip),
  flags: small(text.flags),
  fsBase: wide(text.fsBase),
  gsBase: wide(text.gsBase),
  fx: fxOf(text.fx),
  selectors: Uint16Array.from(text.selectors, small),
  changes: text.changes.map(stretchOf),
});
