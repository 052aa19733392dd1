/** XEN_HYPFS_OP_write_contents. Chapter: spec/chapters/hypfs.md, "Writing". */
import { HYPFS_MOST_SETTING, HYPFS_POOL } from '#spec/abi/hypfs.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import type { Machine } from '../../machine.ts';
import type { Word } from '../../word/word.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { bytesOfText, type Entry } from './entry.ts';
import { TEXTS } from './setting_texts.ts';

/** What is handed over: `count` bytes at `from`. */
export type Given = { readonly caller: VcpuRef; readonly from: Word; readonly count: number };
type Setting = Extract<Entry, { kind: 'setting' }>;

const keep = (machine: Machine, name: string, contents: Uint8Array): Machine => ({
  ...machine,
  settings: new Map(machine.settings).set(name, contents),
});

/** Whether the last byte is the only NUL. */
export const isText = (bytes: Uint8Array): boolean => bytes.length > 0 && bytes.indexOf(0) === bytes.length - 1;
export const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, -1));

const writeBytes = (machine: Machine, { name, setting }: Setting, { caller, from, count }: Given): HypercallResult => {
  if (count > setting.most) return fail(machine, 'ENOSPC', 'hypfs/write-bytes');
  const read = copyFromGuest(machine, caller, from, count);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'hypfs/write-bytes');
  if (!isText(read.bytes)) return fail(read.machine, 'EINVAL', 'hypfs/write-bytes');
  return done(keep(read.machine, name, read.bytes), 'hypfs/write-bytes');
};

const writeTruth = (machine: Machine, { name }: Setting, { caller, from, count }: Given): HypercallResult => {
  if (count !== 1) return fail(machine, 'EDOM', 'hypfs/write-truth');
  const read = copyFromGuest(machine, caller, from, count);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'hypfs/write-truth');
  return done(keep(read.machine, name, read.bytes), 'hypfs/write-truth');
};

const writeText = (machine: Machine, { name, setting }: Setting, { caller, from, count }: Given): HypercallResult => {
  if (count > HYPFS_MOST_SETTING) return fail(machine, 'ENOSPC', 'hypfs/write-text');
  const read = copyFromGuest(machine, caller, from, count);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'hypfs/write-text');
  if (!isText(read.bytes)) return fail(read.machine, 'EDOM', 'hypfs/write-text');
  const { clause, error, told } = TEXTS[setting.setting as keyof typeof TEXTS](textOf(read.bytes));
  const m = told === undefined ? read.machine : keep(read.machine, name, bytesOfText(told));
  return error === null ? done(m, clause) : fail(m, error, clause);
};

const writeGranularity = (machine: Machine, { caller, from, count }: Given): HypercallResult => {
  const clause = 'hypfs/write-granularity';
  if (count > HYPFS_POOL.most) return fail(machine, 'ENOSPC', clause);
  const read = copyFromGuest(machine, caller, from, count);
  if (!read.ok) return fail(read.machine, 'EFAULT', clause);
  const known = isText(read.bytes) && (HYPFS_POOL.values as readonly string[]).includes(textOf(read.bytes));
  return fail(read.machine, known ? 'EBUSY' : 'EINVAL', clause);
};

export const writeEntry = (machine: Machine, entry: Entry, given: Given): HypercallResult => {
  if (entry.kind === 'granularity') return writeGranularity(machine, given);
  if (entry.kind !== 'setting') return fail(machine, 'EACCES', 'hypfs/write-denied');
  switch (entry.setting.setting) {
    case 'bytes':
      return writeBytes(machine, entry, given);
    case 'truth':
      return writeTruth(machine, entry, given);
    default:
      return writeText(machine, entry, given);
  }
};
