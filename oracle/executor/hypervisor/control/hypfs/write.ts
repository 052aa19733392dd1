/** hypfs_op write_contents: what may be written where. */
import { ERRNO } from '#spec/abi/errno.ts';
import { HYPFS_MOST_SETTING, HYPFS_POOL, type HypfsSetting } from '#spec/abi/hypfs.ts';
import type { Machine } from '../../machine.ts';
import { type Understood, understandLevels, understandLimit, understandPcid, understandTimestamps } from './setting_texts.ts';
import type { Found } from './tree.ts';

/** The bytes that the writer gives; null when they cannot be read. */
export type Source = () => Uint8Array | null;

const UNDERSTAND: Readonly<Partial<Record<HypfsSetting, (text: string) => Understood>>> = {
  levels: understandLevels,
  pcid: understandPcid,
  timestamps: understandTimestamps,
  limit: understandLimit,
  // The processor is no Intel.
  ept: () => ({ value: null, errno: null }),
};

const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
/** Whether the first NUL is the last byte. */
const isText = (bytes: Uint8Array): boolean => bytes.length > 0 && bytes.indexOf(0) === bytes.length - 1;

const writeGranularity = (length: number, source: Source): number => {
  if (length > HYPFS_POOL.most) return -ERRNO.ENOSPC;
  const bytes = source();
  if (!bytes) return -ERRNO.EFAULT;
  const isKnown = isText(bytes) && (HYPFS_POOL.values as readonly string[]).includes(textOf(bytes.subarray(0, -1)));
  // A pool with processors keeps how it schedules.
  return isKnown ? -ERRNO.EBUSY : -ERRNO.EINVAL;
};

const writeTruth = (machine: Machine, name: string, length: number, source: Source): number => {
  if (length !== 1) return -ERRNO.EDOM;
  const bytes = source();
  if (!bytes) return -ERRNO.EFAULT;
  machine.settings.set(name, bytes);
  return 0;
};

const writeBytes = (machine: Machine, name: string, most: number, length: number, source: Source): number => {
  if (length > most) return -ERRNO.ENOSPC;
  const bytes = source();
  if (!bytes) return -ERRNO.EFAULT;
  if (!isText(bytes)) return -ERRNO.EINVAL;
  machine.settings.set(name, bytes);
  return 0;
};

const writeText = (machine: Machine, name: string, understand: (text: string) => Understood, length: number, source: Source): number => {
  if (length > HYPFS_MOST_SETTING) return -ERRNO.ENOSPC;
  const bytes = source();
  if (!bytes) return -ERRNO.EFAULT;
  if (!isText(bytes)) return -ERRNO.EDOM;
  const { value, errno } = understand(textOf(bytes.subarray(0, -1)));
  if (value !== null)
    machine.settings.set(
      name,
      Uint8Array.from(`${value}\0`, (c) => c.charCodeAt(0)),
    );
  return errno === null ? 0 : -ERRNO[errno];
};

/** 0 or a negative errno. `length` is what the writer says, modulo 2^32. */
export const write = (machine: Machine, { name, entry }: Found, length: number, source: Source): number => {
  if (entry.kind === 'granularity') return writeGranularity(length, source);
  if (entry.kind !== 'setting') return -ERRNO.EACCES;
  if (entry.setting === 'truth') return writeTruth(machine, name, length, source);
  const understand = UNDERSTAND[entry.setting];
  return understand ? writeText(machine, name, understand, length, source) : writeBytes(machine, name, entry.most, length, source);
};
