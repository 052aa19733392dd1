/** Known defects of QEMU 7.2's TCG at system level. */
import { TABLES } from '../../image/bare/layout.ts';
import { type Explanation, type Repair, repairWords } from './repairs.ts';

const RF = 0x10000;
const ACCESSED = 0x20;
const PDPT_BYTES = 32;

const qemu = (finding: string, why: string, repair: Repair['repair']): Repair => ({ finding, peer: 'qemu', why, repair });

export const QEMU_REPAIRS: readonly Repair[] = [
  qemu('F-140', 'faults push RF as it was, processors push 1', (peer, ours) => repairWords(peer, ours, (a, b) => (a ^ b) === RF && (b & RF) !== 0)),
  qemu('F-141', 'walks of PAE tables set bit 5 of the PDPTE, which is reserved there', (peer, ours) =>
    repairWords(peer, ours, (a, b, at) => typeof at === 'number' && at >= TABLES.pdpt && at < TABLES.pdpt + PDPT_BYTES && ((a ^ b) === ACCESSED || b === 0)),
  ),
  qemu('F-142', 'a page fault by a reserved bit says P = 0 in its error code', (peer, ours) =>
    repairWords(peer, ours, (a, b) => (b & 9) === 9 && (a | 1) === b),
  ),
  qemu('F-143', 'in long mode the error code of a gate that is refused is vector·16 + 2', (peer, ours) =>
    repairWords(peer, ours, (a, b) => (b & 6) === 2 && a >> 4 === b >> 3 && (a & 6) === 2),
  ),
];
export const QEMU_EXPLANATIONS: readonly Explanation[] = [];
