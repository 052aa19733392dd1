/** The peer `xen`: Debian's Xen 4.17 under QEMU, found through the package manager. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { MachineConfig } from '#spec/config.ts';
import type { Ended, Peer, Recording, RecordOptions, Unavailable } from '../peer.ts';
import { Pool } from '../pool.ts';
import { recordsOf } from '../records.ts';
import { bannerOf } from './banner.ts';
import { type BootResult, bootXen } from './boot.ts';
import { type Found, findPackages, type Missing } from './packages.ts';
import { checkMachine, SETUP, xenCommandline } from './qemu.ts';
import { readSerialLog } from './serial_log.ts';

const NAME = 'xen';
/** Boots at once: each keeps one core busy. */
const WIDTH = 2;
const TIMEOUT_SECONDS = 30;

/** How the run ended, where the log alone does not tell. */
const endOf = (boot: BootResult, timeoutSeconds: number): Ended => {
  const { ended } = readSerialLog(boot.log);
  if (ended) return ended;
  if (boot.stopped === 'timeout') return { kind: 'timeout', seconds: timeoutSeconds };
  if (boot.stopped === 'flood') return { kind: 'stopped', why: 'the guest filled the console without end' };
  return { kind: 'stopped', why: `QEMU ended without Xen's last word${boot.complaint === '' ? '' : `: ${boot.complaint}`}` };
};

/**
 * A release build of Xen lets domain 0 alone write: domain 1 keeps its lines, and domain 0 shows them at its end, each behind `1> `.
 * Every program of two domains has a line of domain 1, so none means that domain 0 ended before it could show them.
 */
const byDomain = (console: string): readonly [string, string | null] => {
  const others = console.match(/^1> .*\n?/gm);
  return [console.replace(/^1> .*\n?/gm, ''), others === null ? null : others.map((line) => line.slice('1> '.length)).join('')];
};

/** What a boot showed of a guest; `machine` as configured, corrected by what Xen says of itself. */
export const recordingOf = (boot: BootResult, machine: MachineConfig, timeoutSeconds: number, seconds: number): Recording => {
  const { console, remarks } = readSerialLog(boot.log);
  const consoles = machine.domains.length > 1 ? byDomain(console) : [console];
  const ended = endOf(boot, timeoutSeconds);
  const xen = { ...machine.xen, ...bannerOf(boot.log), commandline: xenCommandline(machine) };
  return { machine: { ...machine, xen }, ended, consoles, remarks, seconds, records: recordsOf(consoles, ended) };
};

/** The peer, or what is missing. Cheap: nothing is unpacked before the first recording. */
export const xenPeer = (found: Found | Missing = findPackages()): Peer | Unavailable => {
  if ('missing' in found) return { available: false, name: NAME, why: found.missing };
  const pool = new Pool(WIDTH);
  let hypervisor: Uint8Array | null = null;
  return {
    available: true,
    name: NAME,
    version: found.xenVersion,
    details: { qemu: found.qemuVersion, setup: SETUP },
    width: WIDTH,
    domains: 2,
    record: async (images: readonly Uint8Array[], machine: MachineConfig, options: RecordOptions = {}): Promise<Recording> => {
      checkMachine(machine);
      const timeout = options.timeoutSeconds ?? TIMEOUT_SECONDS;
      return pool.run(async () => {
        hypervisor ??= gunzipSync(readFileSync(found.hypervisor));
        const started = performance.now();
        const boot = await bootXen(found.qemu, hypervisor, images, machine, timeout);
        return recordingOf(boot, machine, timeout, (performance.now() - started) / 1000);
      });
    },
  };
};
