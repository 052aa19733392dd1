/** XEN_DOMCTL_setvnumainfo: virtual nodes for a domain. */
import { domctl } from '#spec/abi/domctl.ts';
import { copyFromGuest } from '../../../guest_copy.ts';
import { updateDomain } from '../../../lens.ts';
import { wordIn } from '../../../memory/guest.ts';
import { addInt } from '../../../word/word.ts';
import { fieldsOf } from '../../guest_struct.ts';
import { done, fail } from '../../result.ts';
import type { Rule } from './rule.ts';

const PAGE = 4096;
const NUMBER = 4;
const RANGE = 24;
const FLAGS_AT = 16;
const PHYSICAL_NODES = 64;

const numbersIn = (bytes: Uint8Array): readonly number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / NUMBER }, (_, i) => view.getUint32(i * NUMBER, true));
};

export const setvnumainfo: Rule = (machine, { caller, bytes, target }) => {
  const { nr_vnodes: nodes, nr_vmemranges: ranges, nr_vcpus, pad } = fieldsOf(bytes, domctl.vnuma);
  const count = target.vcpus.length;
  const none = nodes === 0 || nodes > Math.floor(PAGE / NUMBER / nodes) || ranges > Math.floor(PAGE / RANGE);
  if (nr_vcpus !== count || pad !== 0 || none) return fail(machine, 'EINVAL', 'domctl/setvnumainfo-number');
  let m = machine;
  const read = (name: 'vdistance' | 'vmemrange' | 'vcpu_to_vnode' | 'vnode_to_pnode', size: number, skipped = 0): Uint8Array | null => {
    const copied = copyFromGuest(m, caller, addInt(wordIn(bytes, domctl.vnuma.fields[name].at), skipped), size);
    m = copied.machine;
    return copied.ok ? copied.bytes : null;
  };
  const distances = read('vdistance', nodes * nodes * NUMBER);
  const memory = distances && read('vmemrange', ranges * RANGE);
  const ofVcpus = memory && read('vcpu_to_vnode', count * NUMBER);
  if (!distances || !memory || !ofVcpus) return fail(m, 'EFAULT', 'domctl/setvnumainfo-fault');
  if (numbersIn(ofVcpus).some((node) => node >= nodes)) return fail(m, 'E2BIG', 'domctl/setvnumainfo-nodes');
  const physical: number[] = [];
  for (let i = 0; i < nodes; i++) {
    const one = read('vnode_to_pnode', NUMBER, i * NUMBER);
    if (!one) return fail(m, 'EFAULT', 'domctl/setvnumainfo-nodes');
    const [node] = numbersIn(one);
    if (node >= PHYSICAL_NODES) return fail(m, 'E2BIG', 'domctl/setvnumainfo-nodes');
    physical.push(node);
  }
  const flagged = Array.from({ length: ranges }, (_, i) => numbersIn(memory.slice(i * RANGE + FLAGS_AT, i * RANGE + FLAGS_AT + NUMBER))[0]);
  if (flagged.some((flags) => flags !== 0)) return fail(m, 'EINVAL', 'domctl/setvnumainfo-flags');
  return done(
    updateDomain(m, target.domid, { virtualNodes: { physical, ranges: memory, distances, ofVcpus } }),
    'domctl/setvnumainfo-done',
  );
};
