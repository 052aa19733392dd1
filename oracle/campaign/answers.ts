/**
 * What a machine answered to the hypercalls of symbolic programs, read from the lines that the programs print: how many of each operation
 * passed Xen's checks. It needs no events, so it works for real Xen.
 */
import { ERRNO } from '#spec/abi/errno.ts';
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import type { OperationCounts } from './coverage.ts';

const ERRNO_NAME: ReadonlyMap<number, string> = new Map(Object.entries(ERRNO).map(([name, code]) => [code, name]));
const LINE = /^(?:\d+> )?\d+\.\d+ (\S+) (.*)$/;

/** How Xen answered a step: `ok`, an errno's name, or the grant status of a call that itself succeeded. Null when the step trapped. */
const outcomeOf = (fields: string): string | null => {
  const rc = /(?:^| )rc=(-?\d+)/.exec(fields)?.[1];
  if (rc === undefined) return null;
  const value = Number(rc);
  if (value < 0 && value > -4096) return ERRNO_NAME.get(-value) ?? String(value);
  return /(?:^| )status=(-\d+)/.exec(fields)?.[1] ?? 'ok';
};

/** Adds up consoles. */
export class Answers {
  private readonly counts = new Map<string, Map<string, number>>();

  add(console: string): void {
    for (const line of console.split('\n')) {
      const [, operation, fields] = LINE.exec(line) ?? [];
      if (operation === undefined || fields === undefined) continue;
      const call = operation.split('/')[0]!;
      if (!Object.hasOwn(HYPERCALL, call) && !call.startsWith('hypercall_')) continue;
      const outcome = outcomeOf(fields);
      if (outcome === null) continue;
      const outcomes = this.counts.get(operation) ?? new Map<string, number>();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      this.counts.set(operation, outcomes);
    }
  }

  toJSON(): OperationCounts {
    return Object.fromEntries(
      [...this.counts].sort(([a], [b]) => a.localeCompare(b)).map(([name, o]) => [name, Object.fromEntries([...o].sort())]),
    );
  }

  /** Operation, calls, how many passed, and the refusals by frequency. */
  rows(): readonly { readonly operation: string; readonly calls: number; readonly passed: number; readonly refusals: readonly string[] }[] {
    return Object.entries(this.toJSON()).map(([operation, outcomes]) => {
      const calls = Object.values(outcomes).reduce((sum, n) => sum + n, 0);
      const refusals = Object.entries(outcomes)
        .filter(([name]) => name !== 'ok')
        .sort(([, a], [, b]) => b - a)
        .map(([name, n]) => `${name} ${n}`);
      return { operation, calls, passed: outcomes['ok'] ?? 0, refusals };
    });
  }
}
