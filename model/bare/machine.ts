/** The bare machine: a processor, RAM, devices. Immutable: every input makes a new one. */
import type { BareConfig, BareEvent } from '#spec/bare/machine.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { CpuState } from '../cpu/x86/state.ts';
import type { Devices } from '../device/devices.ts';
import type { Memory } from '../memory/memory.ts';

export type Machine = {
  readonly config: BareConfig;
  readonly cpu: CpuState;
  readonly memory: Memory;
  readonly devices: Devices;
  /** ns since the start. */
  readonly now: number;
  /** Steps taken, in all and up to the last time input. */
  readonly retired: number;
  readonly retiredAtTime: number;
  /** Random values handed out. */
  readonly drawn: number;
  /** It has been told that the processor stands halted. */
  readonly haltTold: boolean;
  readonly ended: { readonly exit: number } | { readonly shutdown: string } | null;
  /** What the present input has brought about so far; what booting decided is told with the first. */
  readonly events: readonly BareEvent[];
  readonly cited: readonly ClauseId[];
};

export const cite = (m: Machine, clauses: readonly ClauseId[]): Machine => {
  const added = clauses.filter((clause, n) => !m.cited.includes(clause) && clauses.indexOf(clause) === n);
  return added.length === 0 ? m : { ...m, cited: [...m.cited, ...added] };
};

/** Tell that something happened; bytes of one port are joined. */
export const emit = (m: Machine, event: BareEvent): Machine => {
  const last = m.events[m.events.length - 1];
  const joins = (event.kind === 'debugcon' || event.kind === 'serial') && last?.kind === event.kind;
  const events = joins ? [...m.events.slice(0, -1), { ...event, bytes: last.bytes + event.bytes }] : [...m.events, event];
  return ended({ ...m, events }, event);
};

/** The machine stands still behind some events. */
const ended = (m: Machine, event: BareEvent): Machine => {
  if (event.kind === 'exit') return { ...m, ended: { exit: event.value } };
  return event.kind === 'shutdown' ? { ...m, ended: { shutdown: event.why } } : m;
};
