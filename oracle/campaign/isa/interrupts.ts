/** What Linux makes of a program's INT instructions, which the bare processor leaves to its surroundings. */
import type { EngineResult } from './window_state.ts';

type Ending = Pick<EngineResult, 'end' | 'vector' | 'error' | 'address' | 'what'>;

const [DB, BP, OF, GP, SYSTEM_CALL] = [1, 3, 4, 13, 0x80];
/** Programs may use the gates of these. */
const OPEN: readonly number[] = [BP, OF];
const IDT = 2;

/** `always`: INT1, which no gate's privilege stops. */
export const interruptEnd = (vector: number, always: boolean): Ending => {
  const none = { error: 0, address: 0n, what: '' } as const;
  if (always) return { end: 'step', vector: DB, ...none };
  if (OPEN.includes(vector)) return { end: 'trap', vector, ...none };
  if (vector === SYSTEM_CALL) return { end: 'syscall', vector: 0, ...none };
  return { end: 'fault', vector: GP, error: vector * 8 + IDT, address: 0n, what: '' };
};
