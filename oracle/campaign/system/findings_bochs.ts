/** Where Bochs 2.7 does otherwise: as Intel's processors, or with features of its own. */
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import type { SystemCase } from '../../image/bare/case.ts';
import { PAGE0 } from '../../image/bare/layout.ts';
import type { CaseRecord } from '../../image/bare/result.ts';
import { msrOf } from './case_facts.ts';
import { canonical } from './refused_values.ts';
import { type Explanation, type Repair, repairWords } from './repairs.ts';

const RF = 0x10000;

export const BOCHS_REPAIRS: readonly Repair[] = [
  {
    finding: 'F-147',
    peer: 'bochs',
    why: 'RF in pushed flags: 1 with a double fault; 0 with an INT n that begins with RF set',
    repair: (peer, ours, c) =>
      ours.fields.vector === 8n || c.note.startsWith('step int') ? repairWords(peer, ours, (a, b) => (a ^ b) === RF) : peer,
  },
];

const way = (finding: string, why: string, what: Omit<Explanation, 'finding' | 'why' | 'peer'>): Explanation => ({
  finding,
  why,
  peer: 'bochs',
  ...what,
});
const compat = (c: SystemCase): boolean => c.mode === 'compat16' || c.mode === 'compat32';

/** Where a case's own code begins: a fault there is of its first instruction. */
const atFirst = ({ fields }: CaseRecord): boolean => (fields.f0 & 0xfffn) === 0n;
const TRANSFERRED = [
  'rcx',
  'rsp',
  'r11',
  'f0',
  'f1',
  'f2',
  'f3',
  'f4',
  'f5',
  'f6',
  'f7',
  'f8',
  'flags',
  'es_ds',
  'cs_ss',
  'memory',
] as const;
const NO_AMD = /MSR (HWCR|SYSCFG|MCG_)/;
/** Status of counter 2, read back with its OUT and null-count bits. */
const PIT_LATER = 0xc0;

export const BOCHS_EXPLANATIONS: readonly Explanation[] = [
  way('F-148', 'SYSCALL is #UD outside 64-bit mode', {
    ways: ['6>6'],
    alike: TRANSFERRED,
    about: (c) => OPCODES[c.row].mnemonic === 'syscall' && c.mode !== '64' && c.efer === 1,
    and: (_, peer) => atFirst(peer),
  }),
  way('F-148', 'SYSRET is #UD outside 64-bit mode', {
    ways: ['6>6', '13>6', '14>6'],
    alike: TRANSFERRED,
    about: (c) => OPCODES[c.row].mnemonic === 'sysret' && c.mode !== '64',
    and: (_, peer, c) => c.mode === 'real' || c.mode === 'v86' || atFirst(peer),
  }),
  way('F-148', 'SYSRET checks RCX before it leaves ring 0', {
    ways: ['13>13'],
    alike: TRANSFERRED,
    about: (c) => OPCODES[c.row].mnemonic === 'sysret' && c.mode === '64' && !canonical(c.gpr?.[1] ?? 0n),
  }),
  way('F-148', 'SYSENTER and SYSEXIT are there in long mode', {
    ways: ['6>6', '6>13'],
    alike: TRANSFERRED,
    about: (c) => /^sys(enter|exit)$/.test(OPCODES[c.row].mnemonic) && (compat(c) || c.mode === '64'),
    and: atFirst,
  }),
  way('F-148', 'DR4 and DR5 with CR4.DE are #UD before the ring is looked at', {
    ways: ['13>6'],
    about: (c) => /^DR[45]$/.test(c.note) && ((c.cr4 ?? 0) & 8) !== 0,
  }),
  way('F-151', 'DR7 keeps bit 11', {
    ways: ['6>6', '1>1'],
    alike: ['rbx', 'dr7', 'memory'],
    about: (c) => /^DR[57]$/.test(c.note),
    and: (ours, peer) => (ours.fields.dr7 ^ peer.fields.dr7) === 0x800n,
  }),
  way('F-148', 'CPUID tells of virtual-8086 mode extensions, so CR4 takes PVI', {
    ways: ['13>6'],
    about: (c) => /^to CR4, turns [123]$/.test(c.note),
  }),
  way('F-151', 'LTR in compatibility mode does not look at the upper half of the descriptor', {
    ways: ['13>6'],
    about: (c) => OPCODES[c.row].mnemonic === 'ltr' && compat(c) && c.ring === 0,
    and: (ours, peer) => peer.fields.ldtr_tr >> 32n === ours.fields.f0,
  }),
  way('F-151', 'CR4 takes VMXE', { ways: ['13>6'], about: (c) => c.note === 'to CR4, turns 2000' }),
  way('F-151', 'CR4 has no UMIP', { ways: ['6>13'], about: (c) => c.note === 'to CR4, turns 800' }),
  way('F-151', 'MONITOR with an operand-size prefix is #UD', {
    ways: ['6>6', '13>6', '14>6'],
    alike: ['f0', 'memory'],
    about: (c) => OPCODES[c.row].mnemonic === 'monitor' && c.code[0] === 0x66,
    and: (_, peer, c) => c.mode === 'real' || atFirst(peer),
  }),
  way('F-148', 'MSRs of AMD’s and of machine checks do not exist', { ways: ['6>13'], about: (c) => NO_AMD.test(c.note) }),
  way('F-151', 'SYSENTER_ESP and SYSENTER_EIP have 64 bits', {
    ways: ['6>6'],
    alike: ['rdx', 'f2', 'memory'],
    about: (c) => /^WRMSR SYSENTER_E[SI]P/.test(c.note),
  }),
  way('F-151', 'SYSENTER_ESP and SYSENTER_EIP refuse addresses that are not canonical', {
    ways: ['6>13'],
    about: (c) => /^WRMSR SYSENTER_E[SI]P/.test(c.note) && !canonical(msrOf(c).value),
  }),
  way('F-148', 'a near CALL to an address that is not canonical leaves its return address on the stack', {
    ways: ['13>13'],
    alike: ['memory'],
    about: (c) => c.note === 'canonical' && OPCODES[c.row].mnemonic === 'call',
  }),
  way('F-148', 'a far CALL from 64-bit code to beyond a segment’s limit leaves CS and the address on the stack', {
    ways: ['13>13'],
    alike: ['memory'],
    about: (c) => c.note === 'far transfer' && c.mode === '64' && OPCODES[c.row].mnemonic === 'call_far',
  }),
  way('F-148', 'IRET of 32 bits in 64-bit code takes SS and RSP only when the ring changes', {
    ways: ['6>6', '13>6', '6>13', '13>13'],
    alike: ['rsp', 'f0', 'f2', 'f3', 'f4', 'flags', 'cs_ss', 'memory'],
    about: (c) => c.mode === '64' && OPCODES[c.row].mnemonic === 'iret' && !c.code.includes(0x48, c.code.length - 2),
  }),
  way('F-148', 'a PIT counter loads its count, and moves OUT, with the next tick of its clock', {
    ways: ['6>6'],
    alike: ['rax', 'f2', 'flags', 'memory'],
    about: (c) => c.note === 'device PIT',
    // The status byte's OUT and null-count bits, and OUT as port 0x61 shows it; what follows from them are flags.
    and: (ours, peer) => pitBytes(ours, peer),
  }),
];

/** The two bytes that the case read, in the word where it put them. */
const pitBytes = (ours: CaseRecord, peer: CaseRecord): boolean => {
  const at = PAGE0 + 0x180;
  const word = ({ changes }: CaseRecord): number => changes.find(([address]) => address === at)?.[1] ?? 0;
  return ((word(ours) ^ word(peer)) & ~(PIT_LATER | (0x20 << 8))) === 0;
};
