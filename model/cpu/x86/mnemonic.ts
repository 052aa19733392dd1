/** The names of instructions, as spec/isa/x86/opcodes.ts uses them. */
import type { CONDITIONS } from '#spec/isa/x86/opcodes.ts';

/** What Jcc, SETcc and CMOVcc are named by. */
export type Condition = (typeof CONDITIONS)[number];
