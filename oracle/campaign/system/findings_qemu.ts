/** Single words and fields that QEMU 7.2's TCG gets wrong at system level; ways_qemu.ts has the cases that go another way. */
import { TABLES } from '../../image/bare/layout.ts';
import { mnemonicOf } from './case_facts.ts';
import { type Repair, repairFields, repairWords } from './repairs.ts';

const RF = 0x10000;
const ACCESSED = 0x20;
const PRESENT_RESERVED = 9;
const IDT_ERROR = 2;
const PAGE_TABLES = { first: TABLES.pd32, end: TABLES.pt64 + 0x1000 } as const;

const repair = (finding: string, why: string, how: Repair['repair']): Repair => ({ finding, peer: 'qemu', why, repair: how });
const inTables = (at: unknown): boolean => typeof at === 'number' && at >= PAGE_TABLES.first && at < PAGE_TABLES.end;

export const QEMU_REPAIRS: readonly Repair[] = [
  repair('F-140', 'faults push RF as it was, processors push 1', (peer, ours) =>
    // On a stack that is not a multiple of four, RF lies in bit 0 of the word above.
    repairWords(
      peer,
      ours,
      (a, b, at) =>
        ((a ^ b) === RF && (b & RF) !== 0) || (typeof at === 'number' && (ours.fields.rsp & 3n) === 2n && (a ^ b) === 1 && (b & 1) === 1),
    ),
  ),
  repair(
    'F-141',
    'page walks set accessed bits before an access is allowed, and in the entries of a PAE page-directory-pointer table',
    (peer, ours) => repairWords(peer, ours, (a, b, at) => inTables(at) && (a & ACCESSED) !== 0 && ((a ^ b) === ACCESSED || b === 0)),
  ),
  repair('F-141', 'a page fault by a reserved bit says P = 0', (peer, ours) =>
    repairWords(peer, ours, (a, b) => (b & PRESENT_RESERVED) === PRESENT_RESERVED && (a | 1) === b),
  ),
  repair('F-142', 'in long mode a refused gate’s error code is vector·16 + 2; the EXT bit is missing', (peer, ours) =>
    repairWords(peer, ours, (a, b) => (b & 6) === IDT_ERROR && (a & 7) === IDT_ERROR && (a >> 4 === b >> 3 || (a | 1) === b)),
  ),
  repair('F-146', 'an interrupt stack table entry loads SS with null though the ring stays', (peer, ours) =>
    peer.fields.cs_ss >> 32n === 0n && (ours.fields.cs_ss & 3n) === 0n ? repairFields(peer, ours, ['cs_ss']) : peer,
  ),
  repair('F-146', 'far transfers leave the accessed bit of a code segment as it was', (peer, ours) =>
    repairWords(peer, ours, (a, b, at) => typeof at === 'number' && (b ^ a) === 0x100 && (b & 0x1900) === 0x1900),
  ),
  repair('F-149', 'reads where no memory is give 0', (peer, ours, c) =>
    c.note === 'page data read' && peer.fields.rcx === 0n && /^(ffff)+$/.test(ours.fields.rcx.toString(16))
      ? repairFields(peer, ours, ['rcx'])
      : peer,
  ),
  repair('F-149', 'word reads of ports where nobody is may give 0', (peer, ours, c) =>
    mnemonicOf(c) === 'in' && (peer.fields.rax & 0xffffn) === 0n && (ours.fields.rax & 0xffffn) === 0xffffn
      ? repairFields(peer, ours, ['rax'])
      : peer,
  ),
  repair('F-149', 'INS reads 0 from ports where nobody is', (peer, ours, c) =>
    mnemonicOf(c) === 'ins' ? repairWords(peer, ours, (a, b) => a === 0 && (b === 0xffff || b === 0xffffffff)) : peer,
  ),
  repair('F-144', 'DR6 keeps bit 12, DR7 bits 11, 12, 14 and 15', (peer, ours, c) =>
    /^DR[4-7]$/.test(c.note)
      ? repairFields(
          peer,
          ours,
          DEBUG_FIELDS.filter((name) => onlyReserved(peer.fields[name] ^ ours.fields[name])),
        )
      : peer,
  ),
  repair('F-145', 'LAR leaves bits 16 to 19 out', (peer, ours, c) => (mnemonicOf(c) === 'lar' ? repairFields(peer, ours, ['rcx']) : peer)),
];

/** Where what was written to a debug register is seen again, and the bits that DR6 and DR7 do not have. */
const DEBUG_FIELDS = ['rbx', 'dr6', 'dr7'] as const;
const DEBUG_RESERVED = 0xd800n;
const onlyReserved = (difference: bigint): boolean => (difference & ~DEBUG_RESERVED) === 0n;
