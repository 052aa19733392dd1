/** Programs inside a fresh domain 1, behind the face that recorders have: on a peer that keeps machines, and on our engines. */
import type { MachineConfig } from '#spec/config.ts';
import { BadInput } from '#spec/failure.ts';
import type { Peer, Session } from '../../peers/peer.ts';
import { type EngineName, loadEngine } from '../engines.ts';
import type { Recorder, Seen } from '../recorder.ts';
import { farmMachine } from './subject.ts';
import { showDomu } from './witness.ts';

const seen = (machine: MachineConfig, consoles: readonly string[], reason: number | null, why: string | null, seconds: number): Seen => ({
  machine,
  records: [],
  reason,
  why,
  consoles,
  seconds,
});

/** The first image alone is run, whatever the machine but for its release of Xen. Throws BadInput for a peer that builds no domains. */
export const domuPeerRecorder = (peer: Peer): Recorder & { readonly session: Session } => {
  const session = peer.session?.();
  if (!session) throw new BadInput(`peer ${peer.name} builds no domains`);
  return {
    session,
    producer: { name: peer.name, version: peer.version, details: { ...peer.details } },
    visible: ['console', 'end'],
    policy: null,
    width: peer.width,
    domains: 1,
    record: async ([image], { release }) => {
      const started = performance.now();
      const machine = farmMachine(1, release);
      const boot = await session.farm([{ image: image!, vcpus: 1 }], machine);
      const [found] = boot.seen;
      const reason = found?.outcome.kind === 'shutdown' ? found.outcome.reason : null;
      const why = reason === null ? (found?.outcome.kind ?? boot.why) : null;
      return seen(machine, [found?.log ?? ''], reason, why, (performance.now() - started) / 1000);
    },
  };
};

export const domuEngineRecorder = async (name: EngineName, version: string): Promise<Recorder> => {
  const boot = await loadEngine(name);
  return {
    producer: { name, version, details: {} },
    visible: ['console', 'end'],
    policy: null,
    width: 1,
    domains: 1,
    record: async ([image], { release }) => {
      const started = performance.now();
      const machine = farmMachine(1, release);
      const { lines, end, notModelled } = showDomu(boot, machine, [image!], 1);
      const reason = /^shutdown (\d+)$/.exec(end)?.[1];
      const done = notModelled === null && reason !== undefined;
      return seen(
        machine,
        [`${lines.join('\n')}\n`],
        done ? Number(reason) : null,
        done ? null : (notModelled ?? end),
        (performance.now() - started) / 1000,
      );
    },
  };
};
