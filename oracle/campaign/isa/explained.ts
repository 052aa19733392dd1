/**
 * Differences between silicon and the engines that a finding explains: single cases, each told by what it is and not by what was
 * seen, and counted apart. The ids are those of spec/findings.md.
 */
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { type InstructionCase, LEAVE } from '../../image/instruction/case.ts';
import type { SiliconResult } from '../../peers/silicon/format.ts';
import type { EngineResult } from './window_state.ts';

export type Explanation = {
  readonly finding: string;
  readonly why: string;
  readonly explains: (c: InstructionCase, silicon: SiliconResult, engine: EngineResult) => boolean;
};

const [UD, PF] = [6, 14];
const OPERAND_FAULTS: readonly number[] = [12, 13, PF, 17];
/** CMPS of bytes, and of more. */
const COMPARES_STRINGS: readonly number[] = [0xa6, 0xa7];
const LOCK = 0xf0;

/** The pages of the helper (LEAVE and STATE of entry.h). */
const HELPER = { start: BigInt(LEAVE), end: BigInt(LEAVE) + 0x2000n };
export const HELPER_REACHED = 'F-070';

/** Whether an engine faults where silicon has the helper's memory, and the case may even end the helper. */
export const reachesHelper = ({ end, vector, address }: EngineResult): boolean =>
  end === 'fault' && vector === PF && address + 16n >= HELPER.start && address < HELPER.end;

export const EXPLANATIONS: readonly Explanation[] = [
  {
    finding: HELPER_REACHED,
    why: 'the address is one of the helper’s own pages, which no engine has',
    explains: (_, __, engine) => reachesHelper(engine),
  },
  {
    finding: 'F-060',
    why: 'VERW of a memory operand is carried out with LOCK too, where all others are #UD',
    explains: (c, silicon, engine) =>
      OPCODES[c.row].mnemonic === 'verw' && c.code.includes(LOCK) && c.memory !== null && silicon.vector !== UD && engine.vector === UD,
  },
  {
    finding: 'F-035',
    why: 'a comparison of strings whose two operands both cannot be read may fault for either: processors of one vendor differ',
    explains: (c, silicon, engine) =>
      COMPARES_STRINGS.includes(OPCODES[c.row].opcode) &&
      OPCODES[c.row].map === '1' &&
      silicon.end === 'fault' &&
      engine.end === 'fault' &&
      OPERAND_FAULTS.includes(silicon.vector) &&
      OPERAND_FAULTS.includes(engine.vector) &&
      silicon.regs[1] === engine.regs[1],
  },
];
