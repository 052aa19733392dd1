/** `xenspec diff`: the first place where two traces part. */
import type { Command } from 'commander';
import { readTrace } from '#traces/file.ts';
import type { Trace, TraceRecord } from '#traces/format.ts';
import { type Difference, firstDifference } from '../../compare/difference.ts';
import { EXIT } from '../exit_code.ts';

type Options = { json?: true };
export type TraceDifference = Difference & { readonly record: number; readonly note: string };

/** Records that both traces can hold: what only one producer could see is no difference. */
const comparable = (trace: Trace, both: ReadonlySet<string>): readonly TraceRecord[] =>
  trace.records.filter((r) => {
    if (r.record === 'input') return both.has('inputs');
    if (r.record !== 'event') return true;
    return both.has('events') || r.event.kind === 'console';
  });

/** Join console events of one domain that follow each other: how a producer cut the bytes is no difference. */
const joined = (records: readonly TraceRecord[]): readonly TraceRecord[] => {
  const out: TraceRecord[] = [];
  for (const record of records) {
    const before = out.at(-1);
    if (
      record.record === 'event' &&
      record.event.kind === 'console' &&
      before?.record === 'event' &&
      before.event.kind === 'console' &&
      before.event.domid === record.event.domid
    )
      out[out.length - 1] = { record: 'event', event: { ...before.event, bytes: before.event.bytes + record.event.bytes } };
    else out.push(record);
  }
  return out;
};

const lines = (records: readonly TraceRecord[]): readonly unknown[] =>
  records.flatMap((r): readonly unknown[] =>
    r.record === 'event' && r.event.kind === 'console'
      ? r.event.bytes.split('\n').map((line) => ({ domid: (r.event as { domid: number }).domid, line }))
      : [r.record === 'end' ? { end: r.finish, reason: r.reason } : r],
  );

export const diffTraces = (a: Trace, b: Trace): TraceDifference | null => {
  for (const [name, key] of [
    ['machine', 'machine'],
    ['images', 'images'],
  ] as const) {
    const strip = (t: Trace) => (key === 'machine' ? t.header.machine : t.header.images.map((i) => i.sha256));
    const d = firstDifference(strip(a), strip(b), name);
    if (d) return { ...d, record: 0, note: 'the traces are of different runs' };
  }
  const both = new Set<string>(a.header.visible.filter((v) => b.header.visible.includes(v)));
  const left = lines(joined(comparable(a, both)));
  const right = lines(joined(comparable(b, both)));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const d = firstDifference(left[i] ?? '(nothing)', right[i] ?? '(nothing)');
    if (d)
      return { ...d, record: i + 1, note: `record ${i + 1}: ${JSON.stringify(left[i] ?? null)} ≠ ${JSON.stringify(right[i] ?? null)}` };
  }
  return null;
};

export const addDiff = (program: Command, done: (code: number) => void): void => {
  program
    .command('diff')
    .description('the first place where two traces part')
    .argument('<a>', 'trace file')
    .argument('<b>', 'trace file')
    .option('--json', 'machine-readable result')
    .addHelpText('after', '\nExample:\n  xenspec diff real.trace.gz mine.trace.gz')
    .action(async (a: string, b: string, options: Options) => {
      const difference = diffTraces(await readTrace(a), await readTrace(b));
      if (options.json) process.stdout.write(`${JSON.stringify({ same: difference === null, difference })}\n`);
      else if (difference) process.stdout.write(`${a} and ${b} part at ${difference.path || 'the value'}\n  ${difference.note}\n`);
      else process.stdout.write('no difference in what both could see\n');
      done(difference ? EXIT.divergence : EXIT.ok);
    });
};
