/** `xenspec run --bare`: a multiboot or PVH image without a hypervisor. Standard output is what it says by serial port and debugcon. */
import type { BareEvent, BareMachine } from '#spec/bare/machine.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { barePc } from '#spec/machines/bare_pc.ts';
import type { EngineName } from '../../campaign/engines.ts';
import { advance, loadBare } from '../../campaign/system/engines.ts';
import { EXIT } from '../exit_code.ts';
import { readImage } from '../files.ts';
import { say, writeAll } from '../output.ts';
import { count, LongRun } from '../table.ts';

export type BareOptions = {
  on: EngineName;
  append: string;
  memory: number;
  limit: number;
  lenient?: true;
  json?: true;
};

const STDOUT = 1;
/** Steps between two looks at the limit and at standard output. */
const SLICE = 100_000;
const EXIT_STATUS = 0xff;

type Summary = {
  readonly end: 'exit' | 'shutdown' | 'hang' | 'limit' | 'not_modelled';
  /** Value written to isa-debug-exit, or why the machine stood still. */
  readonly value: number | string | null;
  readonly retired: number;
};

/** QEMU ends with twice the value written to isa-debug-exit and one. */
export const debugExitStatus = (value: number): number => (2 * value + 1) & EXIT_STATUS;

const exitCode = ({ end, value }: Summary): number => {
  switch (end) {
    case 'exit':
      return debugExitStatus(Number(value));
    case 'limit':
      return EXIT.limit;
    case 'not_modelled':
      return EXIT.notModelled;
    default:
      return EXIT.crashed;
  }
};

const text = ({ end, value }: Summary): string => {
  switch (end) {
    case 'exit':
      return `isa-debug-exit ${value}`;
    case 'shutdown':
      return `shutdown: ${value}`;
    case 'hang':
      return String(value);
    case 'limit':
      return 'stopped at the limit';
    case 'not_modelled':
      return `not modelled: ${value}`;
  }
};

/** Counts of what was delivered. */
class Tally {
  exceptions = 0;
  interrupts = 0;

  add(events: readonly BareEvent[]): void {
    for (const event of events) {
      if (event.kind === 'exception') this.exceptions++;
      else if (event.kind === 'interrupt') this.interrupts++;
      else if (event.kind === 'serial' || event.kind === 'debugcon') writeAll(STDOUT, Buffer.from(event.bytes, 'latin1'));
    }
  }
}

const drive = (machine: BareMachine, limit: number, tally: Tally): Summary => {
  const long = new LongRun();
  let steps = 0;
  const retired = (): number => machine.observe().retired;
  while (steps < limit) {
    const slice = Math.min(SLICE, limit - steps);
    const { events, stopped } = advance(machine, slice);
    tally.add(events);
    if (stopped === 'exit') return { end: 'exit', value: (machine.status().ended as { exit: number }).exit, retired: retired() };
    if (stopped?.kind === 'not_modelled') return { end: 'not_modelled', value: stopped.why, retired: retired() };
    if (stopped?.kind === 'hang') return { end: 'hang', value: stopped.why, retired: retired() };
    if (stopped !== null) return { end: 'shutdown', value: stopped.why, retired: retired() };
    steps += slice;
    // One instruction a nanosecond; a processor that waits lets `advance` go on to the next deadline.
    machine.apply({ kind: 'time', now: machine.status().now + slice });
    long.tick(() => `${count(steps)} steps so far`);
  }
  return { end: 'limit', value: null, retired: retired() };
};

const FRAMES_A_MIB = 256;
const MOST_MIB = 2048;

export const runBare = async (image: string, options: BareOptions): Promise<number> => {
  if (options.memory > MOST_MIB) throw new BadInput(`--memory ${options.memory}: a bare machine has at most ${MOST_MIB} MiB`);
  const bytes = readImage(image);
  const boot = await loadBare(options.on);
  let machine: BareMachine;
  try {
    machine = boot({ ...barePc(options.append), frames: options.memory * FRAMES_A_MIB, lenient: options.lenient ?? false }, bytes);
  } catch (error) {
    if (error instanceof BadInput) throw new BadInput(`${image}: ${error.message}`);
    if (error instanceof NotModelled) throw new NotModelled(`${error.what} (${image})`);
    throw error;
  }
  const tally = new Tally();
  const summary = drive(machine, options.limit, tally);
  const { exceptions, interrupts } = tally;
  if (options.json) process.stderr.write(`${JSON.stringify({ engine: options.on, ...summary, exceptions, interrupts })}\n`);
  else
    say(
      `${text(summary)}; ${count(summary.retired)} instructions, ${count(exceptions)} exceptions, ${count(interrupts)} interrupts on ${options.on}`,
    );
  return exitCode(summary);
};
