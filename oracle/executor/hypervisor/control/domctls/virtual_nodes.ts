/** setvnumainfo: the nodes that a domain is to believe in. */
import { domctl } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { MAX_NUMNODES } from '#spec/abi/memory.ts';
import { load } from '../sysctls/asker.ts';
import type { Request, Work } from './request.ts';

const F = domctl.vnuma.fields;
const PAGE = 4096;
const WORD = 4;
/** Start, end, flags, node. */
export const VMEMRANGE_BYTES = 24;
const FLAGS_AT = 16;

/** What get_vnumainfo tells of a domain: matrix of distances, ranges of memory as they were given, and each vCPU's node; and where nodes really are. */
export type VirtualNodes = {
  readonly nodes: number;
  readonly distances: Uint8Array;
  readonly ranges: Uint8Array;
  readonly vcpus: Uint8Array;
  readonly real: readonly number[];
};

/** The array whose address stands at `at`; null when it cannot be read. */
const arrayAt = (request: Request, at: number, bytes: number): Uint8Array | null => {
  const into = new Uint8Array(bytes);
  return load(request, at, 0, into) ? into : null;
};
const wordsOf = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.buffer);

export const setVirtualNodes: Work = (request) => {
  const { machine, caller, domain, op } = request;
  const get = ({ at }: { readonly at: number }): number => op.getUint32(at, true);
  const [nodes, count] = [get(F.nr_vnodes), get(F.nr_vmemranges)];
  if (get(F.nr_vcpus) !== domain.vcpus.length || get(F.pad) !== 0) return -ERRNO.EINVAL;
  if (nodes === 0 || nodes * nodes > PAGE / WORD || count > Math.floor(PAGE / VMEMRANGE_BYTES)) return -ERRNO.EINVAL;
  if (domain.dying !== null) {
    machine.notModelled(caller, 'domctl');
    return -ERRNO.ENOSYS;
  }
  const distances = arrayAt(request, F.vdistance.at, WORD * nodes * nodes);
  const ranges = distances && arrayAt(request, F.vmemrange.at, VMEMRANGE_BYTES * count);
  const vcpus = ranges && arrayAt(request, F.vcpu_to_vnode.at, WORD * domain.vcpus.length);
  if (!distances || !ranges || !vcpus) return -ERRNO.EFAULT;
  if (wordsOf(vcpus).some((node) => node >= nodes)) return -ERRNO.E2BIG;
  const real: number[] = [];
  for (let node = 0; node < nodes; node++) {
    const word = new Uint8Array(WORD);
    if (!load(request, F.vnode_to_pnode.at, WORD * node, word)) return -ERRNO.EFAULT;
    if (wordsOf(word)[0] >= MAX_NUMNODES) return -ERRNO.E2BIG;
    real.push(wordsOf(word)[0]);
  }
  const view = new DataView(ranges.buffer);
  for (let i = 0; i < count; i++) if (view.getUint32(VMEMRANGE_BYTES * i + FLAGS_AT, true) !== 0) return -ERRNO.EINVAL;
  domain.virtualNodes = { nodes, distances, ranges, vcpus, real };
  return 0;
};
