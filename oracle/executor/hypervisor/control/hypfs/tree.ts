/** The tree of Xen's settings: what a path leads to, and what can be read there. */
import {
  HYPFS_NAME_AT,
  HYPFS_POOL,
  type HypfsNode,
  hypfsAtFirst,
  hypfsListed,
  hypfsRoot,
  XEN_HYPFS_ENC,
  XEN_HYPFS_TYPE,
} from '#spec/abi/hypfs.ts';
import type { Machine } from '../../machine.ts';

/** What a path leads to: a node of the tree, pool 0's directory, or what is in it. */
export type Entry = HypfsNode | { readonly kind: 'pool' } | { readonly kind: 'granularity' };
/** An entry and its name. */
export type Found = { readonly name: string; readonly entry: Entry };

const POOL_0 = '0';

const childrenOf = (entry: Entry): readonly Found[] | null => {
  switch (entry.kind) {
    case 'dir':
      return Object.entries(entry.entries).map(([name, child]) => ({ name, entry: child }));
    case 'pools':
      return [{ name: POOL_0, entry: { kind: 'pool' } }];
    case 'pool':
      return [{ name: HYPFS_POOL.entry, entry: { kind: 'granularity' } }];
    default:
      return null;
  }
};

/** Pools are found by number, of which an empty name is 0, modulo 2^64. */
const isPool0 = (name: string): boolean => /^[0-9]*$/.test(name) && BigInt.asUintN(64, BigInt(name || 0)) === 0n;

/** What the path, which begins with a slash, leads to; null when nothing. A slash at its end names a directory. */
export const find = ({ config }: Machine, path: string): Found | null => {
  const names = path.slice(1).split('/');
  if (names.at(-1) === '') names.pop();
  let at: Found = { name: '', entry: { kind: 'dir', entries: hypfsRoot(config.release) } };
  for (const name of names) {
    const isPools = at.entry.kind === 'pools';
    const next: Found | undefined = childrenOf(at.entry)?.find((child) => (isPools ? isPool0(name) : child.name === name));
    if (!next) return null;
    at = next;
  }
  return path.endsWith('/') && !childrenOf(at.entry) ? null : at;
};

const text = (value: string): Uint8Array => Uint8Array.from(`${value}\0`, (c) => c.charCodeAt(0));
const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

const factOf = (machine: Machine, key: Extract<HypfsNode, { kind: 'fact' }>['of']): Uint8Array => {
  const value = machine.config.xen[key];
  return typeof value === 'number' ? word(value) : text(value);
};

const LIMITS = { gnttab_max_frames: 'max_grant_frames', gnttab_max_maptrack_frames: 'max_maptrack_frames' } as const;

const settingAtFirst = ({ config }: Machine, name: string, isTruth: boolean): Uint8Array => {
  if (isTruth) return Uint8Array.of(0);
  if (name === 'gnttab_max_frames' || name === 'gnttab_max_maptrack_frames') return text(String(config.xen[LIMITS[name]]));
  return text(hypfsAtFirst(config.release)[name] ?? '');
};

/** What is stored of an entry of a directory, and how far on the next one is: what fills up to there stays as it was. */
export type Piece = { readonly bytes: Uint8Array; readonly stride: number };

const listed = (machine: Machine, { name, entry }: Found, isLast: boolean): Piece => {
  const bytes = new Uint8Array(HYPFS_NAME_AT + name.length + 1);
  const stride = hypfsListed(name.length);
  bytes.set(headOf(machine, { name, entry }));
  new DataView(bytes.buffer).setUint16(HYPFS_NAME_AT - 2, isLast ? 0 : stride, true);
  bytes.set(text(name), HYPFS_NAME_AT);
  return { bytes, stride };
};

/** A directory's contents; null of anything else. */
export const listingOf = (machine: Machine, entry: Entry): readonly Piece[] | null =>
  childrenOf(entry)?.map((child, i, all) => listed(machine, child, i === all.length - 1)) ?? null;

/** What the entry says; null of a directory, and of Xen's configuration, which is not modelled. */
export const contentsOf = (machine: Machine, { name, entry }: Found): Uint8Array | null => {
  switch (entry.kind) {
    case 'fact':
      return factOf(machine, entry.of);
    case 'granularity':
      return text(HYPFS_POOL.value);
    case 'setting':
      return machine.settings.get(name) ?? settingAtFirst(machine, name, entry.setting === 'truth');
    default:
      return null;
  }
};

/** Bytes of what can be read behind the head. */
export const sizeOf = (machine: Machine, found: Found): number => {
  const { entry } = found;
  if (entry.kind === 'config') return entry.bytes;
  const children = childrenOf(entry);
  // Pools are counted by the name of the directory that they are in.
  if (entry.kind === 'pools') return hypfsListed(found.name.length);
  if (children) return children.reduce((sum, { name }) => sum + hypfsListed(name.length), 0);
  return contentsOf(machine, found)?.length ?? 0;
};

const typeOf = (machine: Machine, { entry }: Found): number => {
  if (childrenOf(entry)) return XEN_HYPFS_TYPE.DIR;
  if (entry.kind === 'setting' && entry.setting === 'truth') return XEN_HYPFS_TYPE.BOOL;
  return entry.kind === 'fact' && typeof machine.config.xen[entry.of] === 'number' ? XEN_HYPFS_TYPE.UINT : XEN_HYPFS_TYPE.STRING;
};

const mostOf = (entry: Entry): number => (entry.kind === 'setting' ? entry.most : entry.kind === 'granularity' ? HYPFS_POOL.most : 0);

/** The 12 bytes before any contents. */
export const headOf = (machine: Machine, found: Found): Uint8Array => {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint8(0, typeOf(machine, found));
  view.setUint8(1, found.entry.kind === 'config' ? XEN_HYPFS_ENC.GZIP : XEN_HYPFS_ENC.PLAIN);
  view.setUint32(4, sizeOf(machine, found), true);
  view.setUint32(8, mostOf(found.entry), true);
  return new Uint8Array(view.buffer);
};
