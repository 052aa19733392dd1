/** What one engine shows of a program in a role. */

import type { MachineConfig } from '#spec/config.ts';
import type { Boot } from '#spec/engine.ts';
import { NotModelled } from '#spec/failure.ts';
import { REFERENCE_RELEASE } from '#spec/releases/release.ts';
import { LOG, LOG_BYTES, VIRT_BASE } from '../../image/layout.ts';
import { idleImage } from '../../image/toolstack/idle.ts';
import { undertakerImage } from '../../image/toolstack/undertaker.ts';
import { Coverage, type OperationCounts } from '../coverage.ts';
import { runEngine } from '../run.ts';
import { domuFrame, domuMachine } from './subject.ts';

/** Lines in their order, those of domain 1 behind `1> ` when domain 0 has lines too; how the run ended; what stopped it, when it is not modelled. */
export type Shown = {
  readonly lines: readonly string[];
  readonly end: string;
  readonly notModelled: string | null;
  readonly operations: OperationCounts;
};

/** Neither side sees an end: every vCPU waits for good, or computes without end. */
export const NO_END = 'no end';
/** Steps after which an engine is given up: more than real Xen gives a domain. */
const LIMIT = 200_000_000;
/** Nanoseconds of waiting after which a program is taken to hang, as it is on real Xen, where nobody waits for a watchdog of 1000 s. */
const PATIENCE = 100_000_000_000;
const PAGE = 4096;

export const linesIn = (text: string): readonly string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

export const endText = (reason: number | null): string => (reason === null ? NO_END : `shutdown ${reason}`);

/** Run images; `domids`: whose ends are told, `ending` looks at the engine at each of these, `reading` when it is over. */
const run = (
  boot: Boot,
  machine: MachineConfig,
  images: readonly Uint8Array[],
  domids: readonly number[],
  reading: (consoles: readonly string[], page: (mfn: number) => Uint8Array) => readonly string[],
  ending: (domid: number, page: (mfn: number) => Uint8Array) => void = () => {},
): Shown => {
  const coverage = new Coverage();
  const consoles = machine.domains.map((): string[] => []);
  const ends = new Map<number, number>();
  let notModelled: string | null = null;
  const engine = boot(machine, images);
  try {
    runEngine(engine, {
      limit: LIMIT,
      patience: PATIENCE,
      onEvent: (event) => {
        coverage.add(event);
        if (event.kind === 'console') consoles[event.domid]?.push(event.bytes);
        if (event.kind !== 'shutdown') return;
        ends.set(event.domid, event.reason);
        if (domids.includes(event.domid)) ending(event.domid, (mfn) => engine.page(mfn));
      },
    });
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
    notModelled = error.message;
  }
  const lines = reading(
    consoles.map((text) => text.join('')),
    (mfn) => engine.page(mfn),
  );
  engine.dispose?.();
  return { lines, end: domids.map((domid) => endText(ends.get(domid) ?? null)).join(', '), notModelled, operations: coverage.toJSON() };
};

export const showDom0 = (boot: Boot, machine: MachineConfig, images: readonly Uint8Array[]): Shown =>
  run(boot, machine, images, [0], (consoles) => dom0Lines(consoles));

/** The first domain's lines, then those of the second, marked. */
export const dom0Lines = ([first, second]: readonly (string | null)[]): readonly string[] => [
  ...linesIn(first ?? ''),
  ...linesIn(second ?? '').map((line) => `1> ${line}`),
];

/** `farmed`: the machine on which the peer ran it. */
export const showDomu = (boot: Boot, farmed: MachineConfig, images: readonly Uint8Array[], vcpus: number): Shown => {
  const machine = domuMachine(images, vcpus, farmed);
  const domids = machine.domains.slice(1).map(({ domid }) => domid);
  const control = images.length === 1 ? idleImage() : undertakerImage(machine.release ?? REFERENCE_RELEASE);
  const logOf = (domid: number, page: (mfn: number) => Uint8Array): string => {
    const first = domuFrame(machine, 1 + domids.indexOf(domid)) + (LOG - VIRT_BASE) / PAGE;
    return keptLines((n) => page(first + n));
  };
  // Of a domain that ended the memory may be gone soon.
  const kept = new Map<number, string>();
  return run(
    boot,
    machine,
    [control, ...images],
    domids,
    (_, page) => dom0Lines(domids.map((domid) => kept.get(domid) ?? logOf(domid, page))),
    (domid, page) => kept.set(domid, logOf(domid, page)),
  );
};

/** What the runtime kept of lines that it could not write. */
const keptLines = (page: (n: number) => Uint8Array): string => {
  const head = page(0);
  const length = Math.min(LOG_BYTES, Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true)));
  const bytes: Uint8Array[] = [head.subarray(8)];
  for (let n = 1; n * PAGE < length + 8; n++) bytes.push(page(n));
  return Buffer.concat(bytes).toString('latin1', 0, length);
};
