/** Entries of Xen's settings: what each is, and what it contains. */
import { HYPFS_POOL, type HypfsNode, hypfsAtFirst, hypfsListed, hypfsRoot, XEN_HYPFS_ENC, XEN_HYPFS_TYPE } from '#spec/abi/hypfs.ts';
import type { Machine } from '../../machine.ts';
import { bytesOfNumber } from '../guest_struct.ts';

type Setting = Extract<HypfsNode, { kind: 'setting' }>;

/** `name`: of a setting, which is unique. `config`: what is not modelled. */
export type Entry =
  | { readonly kind: 'dir'; readonly entries: readonly (readonly [name: string, entry: Entry])[] }
  | { readonly kind: 'pools' }
  | { readonly kind: 'granularity' }
  | { readonly kind: 'fact'; readonly value: string | number }
  | { readonly kind: 'config'; readonly bytes: number }
  | { readonly kind: 'setting'; readonly name: string; readonly setting: Setting };

/** A text with its NUL. */
export const bytesOfText = (text: string): Uint8Array => Uint8Array.from(`${text}\0`, (c) => c.charCodeAt(0));

const entryOf = (machine: Machine, name: string, node: HypfsNode): Entry => {
  switch (node.kind) {
    case 'dir':
      return { kind: 'dir', entries: Object.entries(node.entries).map(([child, below]) => [child, entryOf(machine, child, below)]) };
    case 'fact':
      return { kind: 'fact', value: machine.config.xen[node.of] };
    case 'setting':
      return { kind: 'setting', name, setting: node };
    default:
      return node;
  }
};

export const rootOf = (machine: Machine): Entry => entryOf(machine, '', { kind: 'dir', entries: hypfsRoot(machine.config.release) });
/** Xen counts the room for a pool's name by the directory's own. */
const POOLS = 'cpupool';
const POOL: Entry = { kind: 'dir', entries: [[HYPFS_POOL.entry, { kind: 'granularity' }]] };

/** hypfs/path-pool: decimal digits, or none, that make 0 in 64 bits; null = there is no such pool. */
const poolOf = (name: string): Entry | null => (/^[0-9]*$/.test(name) && BigInt.asUintN(64, BigInt(name)) === 0n ? POOL : null);

/** hypfs/path-walk: the entry behind a path without its first slash; null = there is none. */
export const walk = (from: Entry, path: string): Entry | null => {
  if (from.kind !== 'dir' && from.kind !== 'pools') return null;
  if (path === '') return from;
  const [name, ...rest] = path.split('/');
  const found = from.kind === 'pools' ? poolOf(name) : (from.entries.find(([child]) => child === name)?.[1] ?? null);
  return found === null || rest.length === 0 ? found : walk(found, rest.join('/'));
};

const atFirst = (machine: Machine, name: string, { setting }: Setting): Uint8Array => {
  const { max_grant_frames, max_maptrack_frames } = machine.config.xen;
  switch (setting) {
    case 'truth':
      return new Uint8Array(1);
    case 'limit':
      return bytesOfText(`${name === 'gnttab_max_frames' ? max_grant_frames : max_maptrack_frames}`);
    default:
      return bytesOfText(hypfsAtFirst(machine.config.release)[name] ?? '');
  }
};

/** Children as a directory's contents list them. */
export const childrenOf = (entry: Entry): readonly (readonly [name: string, entry: Entry])[] =>
  entry.kind === 'dir' ? entry.entries : entry.kind === 'pools' ? [['0', POOL]] : [];

/** What is read of an entry that is no directory. */
export const contentsOf = (machine: Machine, entry: Entry): Uint8Array => {
  switch (entry.kind) {
    case 'fact':
      return typeof entry.value === 'number' ? bytesOfNumber(entry.value, 4) : bytesOfText(entry.value);
    case 'setting':
      return machine.settings?.get(entry.name) ?? atFirst(machine, entry.name, entry.setting);
    case 'granularity':
      return bytesOfText(HYPFS_POOL.value);
    default:
      return new Uint8Array();
  }
};

const sizeOf = (machine: Machine, entry: Entry): number => {
  if (entry.kind === 'config') return entry.bytes;
  if (entry.kind === 'pools') return hypfsListed(POOLS.length);
  if (entry.kind !== 'dir') return contentsOf(machine, entry).length;
  return childrenOf(entry).reduce((sum, [name]) => sum + hypfsListed(name.length), 0);
};

const typeOf = (entry: Entry): number => {
  switch (entry.kind) {
    case 'dir':
    case 'pools':
      return XEN_HYPFS_TYPE.DIR;
    case 'fact':
      return typeof entry.value === 'number' ? XEN_HYPFS_TYPE.UINT : XEN_HYPFS_TYPE.STRING;
    case 'setting':
      return entry.setting.setting === 'truth' ? XEN_HYPFS_TYPE.BOOL : XEN_HYPFS_TYPE.STRING;
    default:
      return XEN_HYPFS_TYPE.STRING;
  }
};

const mostOf = (entry: Entry): number =>
  entry.kind === 'setting' ? entry.setting.most : entry.kind === 'granularity' ? HYPFS_POOL.most : 0;

/** hypfs/read-entry: the 12 bytes that describe it, and the size that they tell. */
export const describe = (machine: Machine, entry: Entry): { readonly bytes: Uint8Array; readonly size: number } => {
  const size = sizeOf(machine, entry);
  const encoding = entry.kind === 'config' ? XEN_HYPFS_ENC.GZIP : XEN_HYPFS_ENC.PLAIN;
  return { bytes: Uint8Array.from([typeOf(entry), encoding, 0, 0, ...bytesOfNumber(size, 4), ...bytesOfNumber(mostOf(entry), 4)]), size };
};
