/** From a boot's serial log to a recording. */
import type { MachineConfig } from '#spec/config.ts';
import type { Ended, Recording } from '../peer.ts';
import { recordsOf } from '../records.ts';
import { bannerOf } from './banner.ts';
import type { BootResult } from './boot.ts';
import { xenCommandline } from './qemu.ts';
import { readSerialLog } from './serial_log.ts';

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

/** The machine as configured, corrected by what Xen says of itself. */
export const asItIs = (machine: MachineConfig, log: string): MachineConfig => ({
  ...machine,
  xen: { ...machine.xen, ...bannerOf(log), commandline: xenCommandline(machine) },
});

/** What a boot showed of a guest; `machine` as configured, corrected by what Xen says of itself. */
export const recordingOf = (boot: BootResult, machine: MachineConfig, timeoutSeconds: number, seconds: number): Recording => {
  const { console, remarks } = readSerialLog(boot.log);
  const consoles = machine.domains.length > 1 ? byDomain(console) : [console];
  const ended = endOf(boot, timeoutSeconds);
  return { machine: asItIs(machine, boot.log), ended, consoles, remarks, seconds, records: recordsOf(consoles, ended) };
};
