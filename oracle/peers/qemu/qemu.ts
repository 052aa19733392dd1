/** QEMU's `pc` under TCG, as peer for bare images. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QEMU_CPU } from '#spec/machines/bare_pc.ts';
import type { Payload } from '../../image/bare/image.ts';
import { EXIT_VALUE } from '../../image/bare/layout.ts';
import { multibootElf } from '../../image/bare/multiboot.ts';
import { type BarePeer, type BareRun, type Finished, programPath, runInFolder } from '../bare_peer.ts';
import type { Unavailable } from '../peer.ts';
import { packageVersion, QEMU_PACKAGE, QEMU_PROGRAM } from '../xen/packages.ts';

const FILES = { image: 'image.elf', debugcon: 'debugcon' } as const;
/** isa-debug-exit ends QEMU with twice the value and one. */
export const exitStatus = (value: number): number => (2 * value + 1) & 0xff;

/** One instruction takes 2⁷ ns of virtual time, so that timers do not depend on the host. */
const MACHINE = ['-accel', 'tcg', '-M', 'pc', '-cpu', QEMU_CPU, '-m', '128', '-icount', 'shift=7,sleep=off'] as const;
const ARGUMENTS = [
  ...MACHINE,
  ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-rtc', 'base=2020-01-01T00:00:00,clock=vm'],
  ...['-serial', 'null', '-debugcon', `file:${FILES.debugcon}`, '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-kernel', FILES.image],
] as const;

const endOf = ({ code, timedOut, stderr }: Finished): Omit<BareRun, 'debugcon'> => {
  if (timedOut) return { end: 'timeout', why: 'it was stopped' };
  if (code === exitStatus(EXIT_VALUE)) return { end: 'exit', why: '' };
  // With -no-reboot a reset ends QEMU as a power-off does.
  if (code === 0) return { end: 'reset', why: 'the machine was reset' };
  return { end: 'failed', why: stderr.trim().split('\n')[0] || 'QEMU crashed' };
};

const run = (program: string, payload: Payload, timeoutSeconds: number): Promise<BareRun> =>
  runInFolder(
    program,
    ARGUMENTS,
    timeoutSeconds,
    async (folder) => {
      await writeFile(join(folder, FILES.image), multibootElf(payload));
      await writeFile(join(folder, FILES.debugcon), '');
    },
    async (folder, finished) => ({ debugcon: await readFile(join(folder, FILES.debugcon)), ...endOf(finished) }),
  );

export const qemuPeer = (): BarePeer | Unavailable => {
  const program = programPath(QEMU_PROGRAM);
  if (program === null)
    return {
      available: false,
      name: 'qemu',
      why: `no ${QEMU_PROGRAM} (Debian 12: apt-get install --no-install-recommends qemu-system-x86)`,
    };
  return {
    available: true,
    name: 'qemu',
    version: packageVersion(QEMU_PACKAGE) ?? 'of unknown version',
    details: { machine: MACHINE.join(' ') },
    lacks: ['pcid', 'invpcid', 'sha', 'rdseed', 'xsavec', 'xsaves'],
    run: (payload, timeoutSeconds) => run(program, payload, timeoutSeconds),
  };
};
