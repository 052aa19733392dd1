/** Programs inside fresh domains of real Xen: one boot, in which domain 0 builds a domain for each, writes its end and its lines down, and destroys it. */
import { type FileHandle, open } from 'node:fs/promises';
import type { MachineConfig } from '#spec/config.ts';
import { dom0 } from '#spec/machines/debian_4_17.ts';
import { RECORDS } from '../../image/toolstack/format.ts';
import { toolstackImage } from '../../image/toolstack/image.ts';
import { journalLength, readJournal } from '../../image/toolstack/journal.ts';
import { buildModule, type Guest } from '../../image/toolstack/module.ts';
import type { FarmBoot, Farmed } from '../peer.ts';
import { type BootResult, bootXen } from './boot.ts';
import { asItIs } from './recording.ts';
import { readSerialLog } from './serial_log.ts';

const ANNOUNCED = /^journal (\d+)$/m;
const PAGE = 4096;

const journalAt = (log: string): number | null => {
  const found = ANNOUNCED.exec(readSerialLog(log).console);
  return found ? Number(found[1]) * PAGE : null;
};

const readAt = async (file: FileHandle, at: number, length: number): Promise<Uint8Array> => {
  const bytes = new Uint8Array(length);
  await file.read(bytes, 0, length, at);
  return bytes;
};

/** The journal's bytes that are in use; only its head when `headOnly`. */
const journalIn = async (memory: string, log: string, headOnly: boolean): Promise<Uint8Array> => {
  const at = journalAt(log);
  if (at === null) return new Uint8Array(RECORDS);
  const file = await open(memory, 'r');
  try {
    const head = await readAt(file, at, RECORDS);
    return headOnly ? head : await readAt(file, at, Math.max(RECORDS, journalLength(head)));
  } finally {
    await file.close();
  }
};

const whyOf = (boot: BootResult, timeoutSeconds: number): string => {
  const { ended } = readSerialLog(boot.log);
  if (ended?.kind === 'stopped' || ended?.kind === 'refused') return ended.why;
  if (ended?.kind === 'shutdown') return `the toolstack ended with reason ${ended.reason}`;
  return boot.stopped === 'timeout'
    ? `no progress within ${timeoutSeconds} s`
    : `QEMU ended${boot.complaint === '' ? '' : `: ${boot.complaint}`}`;
};

/** Run programs until all are done, the journal is full, or one of them takes the machine with it: its outcome is `lost` then. */
export const farm = async (
  qemu: string,
  xen: Uint8Array,
  guests: readonly Guest[],
  machine: MachineConfig,
  timeoutSeconds: number,
): Promise<FarmBoot> => {
  const host: MachineConfig = { ...machine, domains: [dom0('', machine.domains[0]!.pages / 256, machine.pcpus), machine.domains[1]!] };
  let bytes = new Uint8Array(RECORDS);
  const boot = await bootXen(qemu, xen, [toolstackImage(machine.release), buildModule(guests)], host, timeoutSeconds, {
    progress: async (memory, log) => Buffer.from(await journalIn(memory, log, true)).toString('latin1'),
    end: async (memory, log) => {
      bytes = new Uint8Array(await journalIn(memory, log, false));
    },
  });
  const { started, done, entries } = readJournal(bytes);
  const seen: Farmed[] = entries.map(({ outcome, log }) => ({ outcome, log }));
  const why = whyOf(boot, timeoutSeconds);
  if (started > done) seen.push({ outcome: { kind: 'lost', why }, log: '' });
  return { seen, why, machine: { ...machine, xen: asItIs(host, boot.log).xen } };
};
