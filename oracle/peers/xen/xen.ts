/** The peer `xen`: Debian's Xen under QEMU, of the reference release or another one. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { MachineConfig } from '#spec/config.ts';
import { BadInput } from '#spec/failure.ts';
import type { Peer, Recording, RecordOptions, Unavailable } from '../peer.ts';
import { Pool } from '../pool.ts';
import { bootXen } from './boot.ts';
import { type Found, findPackages, type Missing } from './packages.ts';
import { checkMachine, SETUP } from './qemu.ts';
import { recordingOf } from './recording.ts';
import { XenSession } from './session.ts';

const NAME = 'xen';
/** Boots at once: each keeps one core busy. */
const WIDTH = 2;
const TIMEOUT_SECONDS = 30;

/** The peer, or what is missing. Cheap: nothing is unpacked before the first recording. */
export const xenPeer = (found: Found | Missing = findPackages()): Peer | Unavailable => {
  if ('missing' in found) return { available: false, name: NAME, why: found.missing };
  const pool = new Pool(WIDTH);
  let unpacked: Uint8Array | null = null;
  const hypervisor = (): Uint8Array => {
    unpacked ??= gunzipSync(readFileSync(found.hypervisor));
    return unpacked;
  };
  return {
    available: true,
    name: NAME,
    version: found.xenVersion,
    release: found.release,
    details: { qemu: found.qemuVersion, setup: SETUP },
    width: WIDTH,
    domains: 2,
    session: () => new XenSession(found.qemu, hypervisor(), WIDTH),
    record: async (images: readonly Uint8Array[], machine: MachineConfig, options: RecordOptions = {}): Promise<Recording> => {
      checkMachine(machine);
      if (machine.release !== found.release)
        throw new BadInput(`a machine with Xen ${machine.release}, and a peer that is Xen ${found.release}`);
      const timeout = options.timeoutSeconds ?? TIMEOUT_SECONDS;
      return pool.run(async () => {
        const started = performance.now();
        const boot = await bootXen(found.qemu, hypervisor(), images, machine, timeout);
        return recordingOf(boot, machine, timeout, (performance.now() - started) / 1000);
      });
    },
  };
};
