/** Whoever can run images and tell what was seen: peers and engines behind one face, so that recordings are made alike. */
import type { MachineConfig } from '#spec/config.ts';
import type { Event } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Program } from '#spec/program.ts';
import { sha256 } from '#traces/file.ts';
import { TRACE_FORMAT, TRACE_VERSION, type Trace, type TraceHeader, type TraceRecord } from '#traces/format.ts';
import type { Peer } from '../peers/peer.ts';
import { type EngineName, loadEngine } from './engines.ts';
import { DEFAULT_POLICY } from './environment.ts';
import { runEngine } from './run.ts';

/** What was seen of one run. */
export type Seen = {
  /** The machine as it really was. */
  readonly machine: MachineConfig;
  readonly records: readonly TraceRecord[];
  /** SHUTDOWN reason that ended the machine; null when it did not end by itself, and `why` says what happened. */
  readonly reason: number | null;
  readonly why: string | null;
  /** Each domain's console, in the order of the configuration, one character a byte; null when it was not shown. */
  readonly consoles: readonly (string | null)[];
  /** Wall time. */
  readonly seconds: number;
};

export type Recorder = {
  readonly producer: TraceHeader['producer'];
  readonly visible: TraceHeader['visible'];
  readonly policy: TraceHeader['policy'];
  /** Runs that make sense at once. */
  readonly width: number;
  /** Most domains that a machine may have. */
  readonly domains: number;
  record(images: readonly Uint8Array[], machine: MachineConfig): Promise<Seen>;
};

export const peerRecorder = (peer: Peer): Recorder => ({
  producer: { name: peer.name, version: peer.version, details: { ...peer.details } },
  visible: ['console', 'end'],
  policy: null,
  width: peer.width,
  domains: peer.domains,
  record: async (images, machine) => {
    const { ended, ...recording } = await peer.record(images, machine);
    if (ended.kind === 'shutdown') return { ...recording, reason: ended.reason, why: null };
    return {
      ...recording,
      reason: null,
      why: ended.kind === 'timeout' ? `no end within ${ended.seconds} s` : `${ended.kind}: ${ended.why}`,
    };
  },
});

/** Steps after which an engine is given up. */
const LIMIT = 200_000_000;

export const engineRecorder = async (name: EngineName, version: string): Promise<Recorder> => {
  const boot = await loadEngine(name);
  return {
    producer: { name, version, details: {} },
    visible: ['console', 'end', 'events'],
    policy: DEFAULT_POLICY,
    width: 1,
    domains: 16,
    record: async (images, machine) => {
      const started = performance.now();
      const events: Event[] = [];
      const seen = (
        finish: Extract<TraceRecord, { record: 'end' }>['finish'],
        reason: number | null,
        retired: number | null,
        why: string | null,
      ): Seen => ({
        machine,
        records: [...events.map((event): TraceRecord => ({ record: 'event', event })), { record: 'end', finish, reason, retired }],
        reason,
        why,
        consoles: machine.domains.map(({ domid }) =>
          events.flatMap((e) => (e.kind === 'console' && e.domid === domid ? [e.bytes] : [])).join(''),
        ),
        seconds: (performance.now() - started) / 1000,
      });
      try {
        const result = runEngine(boot(machine, images), { policy: DEFAULT_POLICY, limit: LIMIT, onEvent: (e) => events.push(e) });
        const why = result.finish === 'halted' ? null : result.finish === 'idle' ? 'every vCPU waits' : `no end within ${LIMIT} steps`;
        return seen(result.finish, result.halted, result.retired, why);
      } catch (error) {
        if (error instanceof NotModelled) return seen('not_modelled', null, null, error.message);
        throw error;
      }
    },
  };
};

/** Programs as they stand in a trace's header. */
export const programData = (programs: Program | readonly Program[]): TraceHeader['program'] => JSON.parse(JSON.stringify(programs));

/** Consoles as one list of lines: domain 0's as they are, those of domain N behind `N> `. */
export const transcript = (seen: Seen): readonly string[] =>
  seen.consoles.flatMap((text, i) => {
    const { domid } = seen.machine.domains[i]!;
    const lines = text === null ? [] : text.replace(/\n$/, '').split('\n');
    return domid === 0 ? lines : lines.filter((line) => line !== '').map((line) => `${domid}> ${line}`);
  });

/** A run as a trace. */
export const traceOf = (
  recorder: Recorder,
  images: readonly Uint8Array[],
  seen: Seen,
  subject: Pick<TraceHeader, 'title' | 'program' | 'seed' | 'clauses'>,
): Trace => ({
  header: {
    record: 'header',
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    producer: recorder.producer,
    ...subject,
    visible: [...recorder.visible],
    machine: seen.machine,
    images: images.map((elf, i) => ({
      domid: seen.machine.domains[i]!.domid,
      sha256: sha256(elf),
      elf: Buffer.from(elf).toString('base64'),
    })),
    policy: recorder.policy,
  },
  records: seen.records,
});
