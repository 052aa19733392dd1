/** HYPERVISOR_hypfs_op(cmd, path, path length, buffer, buffer length). Chapter: spec/chapters/hypfs.md. */
import { HYPFS_ENTRY_BYTES, HYPFS_MOST_PATH, hypfsListed, XEN_HYPFS_OP as OP, XEN_HYPFS_VERSION } from '#spec/abi/hypfs.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { TOOLS_ANSWERED } from '#spec/releases/control.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { addInt, isZero, type Word } from '../../word/word.ts';
import { isControlDomain } from '../domids.ts';
import { bytesOfNumber } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';
import { bytesOfText, childrenOf, contentsOf, describe, type Entry, rootOf, walk } from './entry.ts';
import { isText, textOf, writeEntry } from './write.ts';

/** A number of bytes; of those that no buffer has, any will do. */
const countOf = ({ hi, lo }: Word): number => (hi === 0 ? lo >>> 0 : Number.MAX_SAFE_INTEGER);

export const hypfs_op: Perform = (machine, caller, [cmd, path, pathBytes, buffer, bufferBytes]) => {
  if (!isControlDomain(caller)) return fail(machine, 'EPERM', 'control/privilege');
  if (!TOOLS_ANSWERED[machine.config.release]) return notModelled(machine, caller, 'hypfs_op');
  if (cmd.lo === OP.get_version) {
    const none = [path, pathBytes, buffer, bufferBytes].every(isZero);
    return none ? done(machine, 'hypfs/get_version', XEN_HYPFS_VERSION) : fail(machine, 'EINVAL', 'hypfs/get_version');
  }
  if (countOf(pathBytes) > HYPFS_MOST_PATH) return fail(machine, 'EINVAL', 'hypfs/path-text');
  const read = copyFromGuest(machine, caller, path, countOf(pathBytes));
  const m = read.machine;
  if (!read.ok) return fail(m, 'EFAULT', 'hypfs/path-text');
  const text = textOf(read.bytes);
  if (!isText(read.bytes)) return fail(m, 'EINVAL', 'hypfs/path-text');
  if (!text.startsWith('/')) return fail(m, waysOf(m.config.release)['hypfs-relative'], 'hypfs/path-text');
  const entry = walk(rootOf(m), text.slice(1));
  if (!entry) return fail(m, 'ENOENT', 'hypfs/path-walk');
  const found = cite(m, text.startsWith('/cpupool/') ? 'hypfs/path-pool' : 'hypfs/path-walk');
  switch (cmd.lo) {
    case OP.read:
      return readEntry(found, caller, entry, buffer, countOf(bufferBytes));
    case OP.write_contents:
      return writeEntry(found, entry, { caller, from: buffer, count: bufferBytes.lo >>> 0 });
    default:
      return fail(found, 'EOPNOTSUPP', 'hypfs/operation');
  }
};

const readEntry = (machine: Machine, caller: VcpuRef, entry: Entry, to: Word, room: number): HypercallResult => {
  if (room < HYPFS_ENTRY_BYTES) return fail(machine, 'EINVAL', 'hypfs/read-room');
  const { bytes, size } = describe(machine, entry);
  const stored = copyToGuest(machine, caller, to, bytes);
  const m = cite(stored.machine, 'hypfs/read-entry');
  if (!stored.ok) return fail(m, 'EFAULT', 'hypfs/read-entry');
  if (room < HYPFS_ENTRY_BYTES + size) return fail(m, 'ENOBUFS', 'hypfs/read-short');
  const behind = addInt(to, HYPFS_ENTRY_BYTES);
  if (entry.kind === 'config') return notModelled(cite(m, 'hypfs/read-config'), caller, 'hypfs_op/config');
  if (entry.kind === 'dir' || entry.kind === 'pools') return readDirectory(m, caller, entry, behind);
  const contents = copyToGuest(m, caller, behind, contentsOf(m, entry));
  return contents.ok ? done(contents.machine, 'hypfs/read-contents') : fail(contents.machine, 'EFAULT', 'hypfs/read-contents');
};

const readDirectory = (machine: Machine, caller: VcpuRef, entry: Entry, to: Word): HypercallResult => {
  const children = childrenOf(entry);
  let [m, at] = [machine, to];
  for (const [i, [name, child]] of children.entries()) {
    const distance = hypfsListed(name.length);
    const last = i === children.length - 1;
    const bytes = [...describe(m, child).bytes, ...bytesOfNumber(last ? 0 : distance, 2), ...bytesOfText(name)];
    const stored = copyToGuest(m, caller, at, Uint8Array.from(bytes));
    m = stored.machine;
    if (!stored.ok) return fail(m, 'EFAULT', 'hypfs/read-directory');
    at = addInt(at, distance);
  }
  return done(m, 'hypfs/read-directory');
};
