/** Known defects of QEMU 7.2's TCG at system level. */
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import type { SystemCase } from '../../image/bare/case.ts';
import { TABLES } from '../../image/bare/layout.ts';
import { type Divergence, type Explanation, type Repair, repairFields, repairWords, vectorOf } from './repairs.ts';

const RF = 0x10000;
const ACCESSED = 0x20;
const PRESENT_RESERVED = 9;
const IDT_ERROR = 2;
const PAGE_TABLES = { first: TABLES.pd32, end: TABLES.pt64 + 0x1000 } as const;

const repair = (finding: string, why: string, how: Repair['repair']): Repair => ({ finding, peer: 'qemu', why, repair: how });
const inTables = (at: unknown): boolean => typeof at === 'number' && at >= PAGE_TABLES.first && at < PAGE_TABLES.end;

export const QEMU_REPAIRS: readonly Repair[] = [
  repair('F-140', 'faults push RF as it was, processors push 1', (peer, ours) =>
    repairWords(peer, ours, (a, b) => (a ^ b) === RF && (b & RF) !== 0),
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

const mnemonicOf = (c: SystemCase): string => OPCODES[c.row].mnemonic;

/** Segment rights, limits and null selectors: QEMU looks at them when a register is loaded, and never again. */
const unchecked = ({ c, ours }: Divergence): boolean =>
  c.mode !== '64' && [12n, 13n].includes(vectorOf(ours) ?? 0n) && /^(segment|stack end|page fetch|far|return)/.test(c.note);

const GROUPS: readonly (readonly [finding: string, why: string, explains: (d: Divergence) => boolean])[] = [
  ['F-143', 'data and code accesses check neither segment limits nor rights', unchecked],
  [
    'F-143',
    'addresses that are not canonical: #GP for #SS, #PF where an access crosses the end, branches that fault behind their target',
    ({ c }) => c.note === 'canonical',
  ],
  ['F-143', 'no #AC', ({ ours }) => vectorOf(ours) === 17n],
  ['F-144', 'no general detect (DR7.GD), and DR6 keeps bit 12', ({ c }) => c.note === 'general detect' || c.note === 'DR6'],
  ['F-144', 'CR0 takes reserved bits, PG without PE, NW without CD; CR4 takes PVI without VME', ({ c }) => /^to CR[04]/.test(c.note)],
  [
    'F-144',
    'control registers that do not exist raise #GP(0) in ring 3, not #UD (F-040)',
    ({ c, ours }) => /CR\d|plain mov_(to|from)_cr/.test(c.note) && vectorOf(ours) === 6n,
  ],
  ['F-144', 'CR3 and CR8 take reserved bits', ({ c, ours }) => /^to CR[38]/.test(c.note) && vectorOf(ours) === 13n],
  [
    'F-144',
    'LGDT and LIDT take addresses that are not canonical',
    ({ c, ours }) => /^l[gi]dt$/.test(mnemonicOf(c)) && vectorOf(ours) === 13n,
  ],
  [
    'F-145',
    'MONITOR does not look at the memory that it watches',
    ({ c, ours, peer }) => mnemonicOf(c) === 'monitor' && vectorOf(ours) === 14n && vectorOf(peer) === 6n,
  ],
  [
    'F-143',
    'LEAVE takes a new RBP from an address that is not canonical',
    ({ c, ours }) => mnemonicOf(c) === 'leave' && c.note === 'stack end' && vectorOf(ours) !== null,
  ],
  ['F-144', 'MSRs that do not exist read as 0, and values are not checked', ({ c }) => /^(rd|wr)msr$/.test(mnemonicOf(c))],
  [
    'F-142',
    'WRFSBASE and WRGSBASE take addresses that are not canonical',
    ({ c, ours }) => /^wr[fg]sbase$/.test(mnemonicOf(c)) && vectorOf(ours) === 13n,
  ],
  ['F-145', 'INT1 does nothing', ({ c }) => mnemonicOf(c) === 'int1'],
  ['F-145', 'EMMS does not look at CR0.TS; #NM comes before the #UD of CR0.EM', ({ c }) => c.note === 'coprocessor'],
  [
    'F-145',
    'SYSENTER and SYSEXIT are there in compatibility mode; SYSENTER_CS is null only as 0',
    ({ c }) => /^sys(enter|exit)$/.test(mnemonicOf(c)),
  ],
  ['F-145', 'SYSCALL and SYSRET lose flags, and ask EFER.SCE first', ({ c }) => /^sys(call|ret)$/.test(mnemonicOf(c))],
  ['F-145', 'LAR and LSL refuse types of descriptors that they know', ({ c }) => /^(lar|lsl)$/.test(mnemonicOf(c))],
  ['F-149', 'code where no memory is stops QEMU', ({ c, peer }) => c.note === 'page fetch' && peer.kind !== 'record'],
  ['F-145', 'RDPMC of any counter; XSETBV in ring 3 is #GP without CR4.OSXSAVE', ({ c }) => /^(xsetbv|rdpmc)$/.test(mnemonicOf(c))],
  ['F-146', 'LTR takes a null selector', ({ c, ours }) => mnemonicOf(c) === 'ltr' && vectorOf(ours) === 13n],
  [
    'F-146',
    'far transfers, IRET and task switches: limits, L with D and the stack’s error code are not looked at, or in another order',
    ({ c }) => /^(far|return|int)/.test(c.note) || c.note === 'segment load',
  ],
  ['F-149', 'interrupts, single steps and shadows are looked at where translated blocks end', ({ c }) => c.note === 'interrupt waits'],
  [
    'F-149',
    'breakpoints on code crash QEMU; breakpoints on data match other addresses and hit the handler',
    ({ c }) => /^(breakpoint|step)/.test(c.note),
  ],
];

export const QEMU_EXPLANATIONS: readonly Explanation[] = GROUPS.map(([finding, why, explains]) => ({
  finding,
  peer: 'qemu',
  why,
  explains,
}));
