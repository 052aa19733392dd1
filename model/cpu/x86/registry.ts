/** The rule of an opcode row: one table a group, and what comes before the rule (guard.ts). */
import { NotModelled } from '#spec/failure.ts';
import type { Row } from '#spec/isa/x86/row.ts';
import { guarded } from './guard.ts';
import { CRYPTO_RULES } from './rules/crypto/index.ts';
import { MMX_RULES } from './rules/mmx/index.ts';
import { SSE_RULES } from './rules/sse/index.ts';
import { X87_RULES } from './rules/x87/index.ts';
import type { Rules, Semantics } from './running.ts';
import { GENERAL_RULES } from './semantics.ts';
import { SYSTEM_RULES } from './system/index.ts';

/** Groups whose rules know no difference between a PV guest and the bare machine. MMX and SSE share names: the row's operands tell. */
const EVERYWHERE: Rules = { ...X87_RULES, ...CRYPTO_RULES };

/** System instructions that ring 3 has too: a PV guest takes the same rules, on its own descriptor tables. */
const SHARED =
  'mov_to_seg pop_seg les lss lds lfs lgs jmp_far call_far ret_far iret lar lsl verr verw arpl sysenter sysexit xgetbv sgdt sldt str'.split(
    ' ',
  );

const notModelled =
  (mnemonic: string): Semantics =>
  () => {
    throw new NotModelled(`instruction/${mnemonic}`);
  };

/** XMM registers among the operands make it SSE's. */
const ofVectors = (row: Row, mnemonic: string): Semantics | undefined => {
  if (row.state === 'mmx') return MMX_RULES[mnemonic] ?? SSE_RULES[mnemonic];
  return SSE_RULES[mnemonic] ?? MMX_RULES[mnemonic];
};

/** The bare machine takes its own rule where there is one; a PV guest cannot see what only the bare machine has. */
const byKind = (general: Semantics | undefined, system: Semantics | undefined, mnemonic: string): Semantics => {
  const guest = general ?? notModelled(mnemonic);
  if (!system || SHARED.includes(mnemonic)) return system ?? guest;
  return (s, i) => (s.system.kind === 'pv' ? guest(s, i) : system(s, i));
};

/** What an instruction of this row does. `mnemonic` is the row's but for NOP. Without a rule it is NotModelled, once it is carried out. */
export const ruleOf = (row: Row, mnemonic: string): Semantics => {
  if (mnemonic !== row.mnemonic) return madeFor(row, mnemonic);
  let rule = rules.get(row);
  if (rule === undefined) {
    rule = madeFor(row, mnemonic);
    rules.set(row, rule);
  }
  return rule;
};

/** Rules by row: the same function for each instruction of a row. */
const rules = new Map<Row, Semantics>();

const madeFor = (row: Row, mnemonic: string): Semantics => {
  const known = row.state !== undefined ? ofVectors(row, mnemonic) : undefined;
  const general = known ?? EVERYWHERE[mnemonic] ?? GENERAL_RULES[mnemonic] ?? ofVectors(row, mnemonic);
  return guarded(row, byKind(general, SYSTEM_RULES[mnemonic], mnemonic));
};
