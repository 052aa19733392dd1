/** What a campaign exercised: every operation of the slice, how often, and what share Xen carried out or refused. */
import { ERRNO } from '#spec/abi/errno.ts';
import { type HypercallName, suboperation } from '#spec/abi/hypercall.ts';
import type { Event } from '#spec/event.ts';
import { MATRIX, nameOf } from '#spec/matrix/matrix.ts';

/** Counts by outcome name: `ok`, an errno name, a GNTST value, `no return`. */
export type Outcomes = Readonly<Record<string, number>>;
export type OperationCounts = Readonly<Record<string, Outcomes>>;

/** Hypercalls whose first argument is the command. */
const BY_FIRST_ARGUMENT: ReadonlySet<string> = new Set([
  'event_channel_op',
  'sched_op',
  'vcpu_op',
  'xen_version',
  'console_io',
  'vm_assist',
  'callback_op',
  'grant_table_op',
  'memory_op',
  'physdev_op',
]);
/** Batches, counted by their elements. */
const BATCHES: ReadonlySet<string> = new Set(['mmu_update', 'mmuext_op']);

const ERRNO_NAME: ReadonlyMap<number, string> = new Map(Object.entries(ERRNO).map(([name, code]) => [code, name]));

/** Name of what a `hypercall` or `operation` event carried out, null for other events. */
export const operationName = (event: Event): string | null => {
  if (event.kind === 'operation') return event.name;
  if (event.kind !== 'hypercall') return null;
  if (!BY_FIRST_ARGUMENT.has(event.call)) return event.call;
  const cmd = Number(BigInt(event.args[0] ?? '0x0') & 0xffffffffn);
  return `${event.call}/${suboperation(event.call as HypercallName, cmd) ?? 'unknown command'}`;
};

const outcome = (event: Event): string => {
  if (event.kind === 'operation')
    return event.result === 0
      ? 'ok'
      : event.name.startsWith('grant_table_op')
        ? String(event.result)
        : (ERRNO_NAME.get(-event.result) ?? String(event.result));
  if (event.kind !== 'hypercall') return '';
  if (event.result === null) return 'no return';
  const value = BigInt.asIntN(64, BigInt(event.result));
  return value < 0n && value > -4096n ? (ERRNO_NAME.get(Number(-value)) ?? String(value)) : 'ok';
};

export class Coverage {
  private readonly counts = new Map<string, Map<string, number>>();
  private readonly exceptions = new Map<number, number>();

  readonly add = (event: Event): void => {
    if (event.kind === 'exception') this.exceptions.set(event.vector, (this.exceptions.get(event.vector) ?? 0) + 1);
    const name = operationName(event);
    if (name !== null) this.count(name, outcome(event), 1);
  };

  /** Take over the counts of another campaign part. */
  merge(other: OperationCounts): void {
    for (const [name, outcomes] of Object.entries(other)) for (const [o, n] of Object.entries(outcomes)) this.count(name, o, n);
  }

  toJSON(): OperationCounts {
    return Object.fromEntries(
      [...this.counts].sort(([a], [b]) => a.localeCompare(b)).map(([name, o]) => [name, Object.fromEntries([...o].sort())]),
    );
  }

  private count(name: string, o: string, n: number): void {
    const outcomes = this.counts.get(name) ?? new Map<string, number>();
    outcomes.set(o, (outcomes.get(o) ?? 0) + n);
    this.counts.set(name, outcomes);
  }
}

/** Everything that the matrix calls modelled for some caller, by the name under which it is counted. */
export const SLICE: readonly string[] = [
  ...new Set(
    MATRIX.filter(({ cells }) => cells.pv64_dom0.kind === 'modelled' || cells.pv64_domU.kind === 'modelled').map((row) =>
      BY_FIRST_ARGUMENT.has(row.call) || BATCHES.has(row.call) ? nameOf(row) : row.call,
    ),
  ),
];
