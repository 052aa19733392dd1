/** What a case does, as explanations ask it. */
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import type { SystemCase } from '../../image/bare/case.ts';

export const mnemonicOf = (c: SystemCase): string => OPCODES[c.row].mnemonic;
export const is =
  (...mnemonics: readonly string[]) =>
  (c: SystemCase): boolean =>
    mnemonics.includes(mnemonicOf(c));

const LOW = 0xffffffffn;

/** The MSR that RDMSR and WRMSR name, and what WRMSR writes. */
export const msrOf = ({ gpr }: SystemCase): { readonly number: number; readonly value: bigint } => ({
  number: Number((gpr?.[1] ?? 0n) & LOW),
  value: ((gpr?.[0] ?? 0n) & LOW) | (((gpr?.[2] ?? 0n) & LOW) << 32n),
});

/** Bits of a control register that a case turns; null when it turns none. */
export const turnOf = ({ note }: SystemCase): { readonly register: number; readonly turned: bigint } | null => {
  const [, register, turned] = /^to CR(\d+), turns ([0-9a-f]+)$/.exec(note) ?? [];
  return register === undefined ? null : { register: Number(register), turned: BigInt(`0x${turned}`) };
};

/** What the harness writes to an MSR before a case. */
export const preparedMsr = ({ before }: SystemCase, number: number): bigint | null => {
  const found = before?.find((action) => action.do === 'msr' && action.msr === number);
  return found?.do === 'msr' ? found.value : null;
};
