/** Model and executor as runners of bare images. They are loaded on demand, so that one may be missing. */
import type { BareEvent, BareMachine, BootBare } from '#spec/bare/machine.ts';
import { NotModelled } from '#spec/failure.ts';
import { barePc } from '#spec/machines/bare_pc.ts';
import { multibootElf } from '../../image/bare/multiboot.ts';
import type { EngineName } from '../engines.ts';
import type { ImageRun, Runner, Stopped } from './runner.ts';

/** Where each engine's machine is. */
const MODULES: Readonly<Record<EngineName, string>> = { model: '#model/bare/engine.ts', executor: '#oracle/executor/bare/engine.ts' };

export const loadBare = async (name: EngineName): Promise<BootBare> => ((await import(MODULES[name])) as { bootBare: BootBare }).bootBare;

/** Steps between two looks. A case takes some thousand: so many without a word to debugcon, and it will not end. */
const SLICE = 30_000;

const HANG: Stopped = { kind: 'hang', why: 'HLT waits for an interrupt that nobody will raise' };
const IF = 0x200n;
/** Interrupts are off: what halts now halts for good. */
const deaf = (machine: BareMachine): boolean => (BigInt(machine.observe().cpu.rflags) & IF) === 0n;

/** Goes on for some steps; time goes to the next deadline when the processor waits. Null while it goes on. */
export const advance = (
  machine: BareMachine,
  steps: number,
  onClauses: (clauses: readonly string[]) => void = () => {},
): { readonly events: readonly BareEvent[]; readonly stopped: Stopped | 'exit' | null } => {
  const before = machine.status();
  if (before.halted && before.ended === null) {
    if (before.deadline === null) return { events: [], stopped: HANG };
    onClauses(machine.apply({ kind: 'time', now: before.deadline }).clauses ?? []);
  }
  try {
    const { events, retired, clauses = [] } = machine.apply({ kind: 'execute', steps });
    onClauses(clauses);
    const { ended, halted } = machine.status();
    if (before.halted && halted && retired === 0 && deaf(machine)) return { events, stopped: HANG };
    if (ended === null) return { events, stopped: null };
    return { events, stopped: 'exit' in ended ? 'exit' : { kind: 'reset', why: ended.shutdown } };
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
    return {
      events: error.bareBefore?.events ?? [],
      stopped: { kind: 'not_modelled', why: error.what },
    };
  }
};

/** Bytes of debugcon among events. */
export const debugconOf = (events: readonly BareEvent[]): string => events.map((e) => (e.kind === 'debugcon' ? e.bytes : '')).join('');
export const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** `onClauses`: what the model cites on the way. */
export const engineRunner = (name: EngineName, boot: BootBare, onClauses?: (clauses: readonly string[]) => void): Runner => ({
  name,
  run: async (payload): Promise<ImageRun> => {
    const machine = boot(barePc(), multibootElf(payload));
    let said = '';
    for (let steps = 0; ; steps += SLICE) {
      const { events, stopped } = advance(machine, SLICE, onClauses);
      const bytes = debugconOf(events);
      said += bytes;
      if (stopped !== null) return { debugcon: latin1(said), stopped: stopped === 'exit' ? null : stopped };
      if (bytes === '' && steps > 0) return { debugcon: latin1(said), stopped: { kind: 'hang', why: `${SLICE} steps without a word` } };
    }
  },
});
