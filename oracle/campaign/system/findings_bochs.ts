/** Where Bochs 2.7 does otherwise: as Intel's processors, or with features of its own. */
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { type Divergence, type Explanation, type Repair, repairWords, vectorOf } from './repairs.ts';

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

const GROUPS: readonly (readonly [finding: string, why: string, explains: (d: Divergence) => boolean])[] = [
  [
    'F-148',
    'SYSCALL and SYSRET are #UD outside 64-bit mode, SYSENTER and SYSEXIT exist in long mode, SYSRET checks RCX: as Intel’s processors',
    ({ c }) => /^sys(call|ret|enter|exit)$/.test(OPCODES[c.row].mnemonic),
  ],
  [
    'F-148',
    'DR4 and DR5 with CR4.DE are #UD before the ring is looked at',
    ({ c, peer }) => /^DR[45]$/.test(c.note) && vectorOf(peer) === 6n,
  ],
  ['F-148', 'CPUID tells of virtual-8086 mode extensions, so CR4 takes PVI', ({ c }) => /^to CR4, turns [123]$/.test(c.note)],
  [
    'F-148',
    'MSRs of AMD’s and of machine checks do not exist',
    ({ c, peer }) => /MSR (HWCR|SYSCFG|MCG_)/.test(c.note) && vectorOf(peer) === 13n,
  ],
  [
    'F-148',
    'a near CALL to an address that is not canonical leaves its return address on the stack',
    ({ c, ours, peer }) => c.note === 'canonical' && vectorOf(ours) === 13n && vectorOf(peer) === 13n,
  ],
  [
    'F-148',
    'a far CALL from 64-bit code to beyond a segment’s limit leaves CS and the address on the stack',
    ({ c, ours, peer }) => c.note === 'far transfer' && c.mode === '64' && vectorOf(ours) === 13n && vectorOf(peer) === 13n,
  ],
  [
    'F-148',
    'IRET of 32 bits in 64-bit code takes SS and RSP only when the ring changes',
    ({ c }) => c.mode === '64' && OPCODES[c.row].mnemonic === 'iret' && !c.code.includes(0x48, c.code.length - 2),
  ],
  ['F-148', 'a PIT counter loads its count, and moves OUT, with the next tick of its clock', ({ c }) => c.note === 'device PIT'],
];

export const BOCHS_EXPLANATIONS: readonly Explanation[] = GROUPS.map(([finding, why, explains]) => ({
  finding,
  peer: 'bochs',
  why,
  explains,
}));
