/** Cases that go another way on QEMU 7.2's TCG: how ours ended and how QEMU did, as the finding says, and nothing else. */
import { isLong, type SystemCase } from '../../image/bare/case.ts';
import type { CaseRecord } from '../../image/bare/result.ts';
import { is, msrOf, preparedMsr, turnOf } from './case_facts.ts';
import { canonical, isNoMsr, refusesMsr, refusesTurn } from './refused_values.ts';
import type { Explanation } from './repairs.ts';

const way = (finding: string, why: string, what: Omit<Explanation, 'finding' | 'why' | 'peer'>): Explanation => ({
  finding,
  why,
  peer: 'qemu',
  ...what,
});

const noted =
  (note: RegExp, ...modes: readonly SystemCase['mode'][]) =>
  (c: SystemCase): boolean =>
    note.test(c.note) && (modes.length === 0 || modes.includes(c.mode));
const both =
  (...conditions: readonly ((c: SystemCase) => boolean)[]) =>
  (c: SystemCase): boolean =>
    conditions.every((holds) => holds(c));

/** A limit or a right that an access breaks has error code 0; what loads find wrong names the selector. */
const noSelector = (ours: CaseRecord): boolean => ours.fields.f0 === 0n;
const SEGMENTED = ['prot16', 'prot32', 'compat16', 'compat32'] as const;

const SEGMENTS: readonly Explanation[] = [
  way('F-143', 'data accesses check neither segment limits nor rights', {
    ways: ['13>6', '13>14', '12>6', '12>14', '8>6', '13>13'],
    alike: ['f3', 'cr2', 'memory'],
    about: noted(/^segment (load|access)$/, ...SEGMENTED),
    and: (ours) => noSelector(ours),
  }),
  way('F-143', 'code is fetched beyond its segment’s limit', {
    ways: ['13>6', '13>14'],
    about: noted(/^page fetch$/, ...SEGMENTED),
    and: noSelector,
  }),
  way('F-143', 'pushes and pops go beyond the stack’s limit', {
    ways: ['12>6', '12>14'],
    about: noted(/^stack end$/, ...SEGMENTED),
    and: noSelector,
  }),
  way('F-143', '#GP for #SS where an address is not canonical', {
    ways: ['12>13'],
    about: noted(/^canonical$/),
  }),
  way('F-143', '#PF where an access crosses the end of the canonical addresses', { ways: ['12>14', '13>14'], about: noted(/^canonical$/) }),
  way('F-143', 'branches to addresses that are not canonical fault behind their target', {
    ways: ['13>13'],
    alike: ['rsp', 'f1', 'f2', 'f3', 'f4', 'memory'],
    about: both(noted(/^canonical$/), is('jmp', 'call', 'ret')),
    and: (_, peer) => !canonical(peer.fields.f1),
  }),
  way('F-143', 'no #AC', { ways: ['17>6'], about: () => true }),
];

const turnsRefused = (register: number) => (c: SystemCase) => {
  const turn = turnOf(c);
  return turn?.register === register && refusesTurn(register, turn.turned, isLong(c.mode));
};

const REGISTERS: readonly Explanation[] = [
  way('F-144', 'no general detect (DR7.GD)', { ways: ['1>6'], about: noted(/^general detect$/) }),
  way('F-144', 'CR0 takes PG without PE, NW without CD', { ways: ['13>6', '13>reset', '13>hang'], about: turnsRefused(0) }),
  way('F-144', 'CR4 takes PVI without VME and reserved bits', { ways: ['13>6', '13>reset', '13>hang'], about: turnsRefused(4) }),
  way('F-144', 'CR3 takes reserved bits', { ways: ['13>6', '13>reset', '13>hang'], about: turnsRefused(3) }),
  way('F-144', 'CR8 takes reserved bits', { ways: ['13>6'], about: turnsRefused(8) }),
  way('F-144', 'control registers that do not exist raise #GP(0) in ring 3, not #UD (F-040)', {
    ways: ['6>13'],
    about: both(is('mov_to_cr', 'mov_from_cr'), (c) => c.ring === 3 && !/CR[02348]\b/.test(c.note)),
  }),
  way('F-144', 'LGDT and LIDT take addresses that are not canonical', {
    ways: ['13>6', '13>reset'],
    about: both(noted(/^l[gi]dt$/, '64'), (c) => c.ring === 0),
  }),
  way('F-144', 'MSRs that do not exist read as 0', {
    ways: ['13>6'],
    about: both(is('rdmsr'), (c) => isNoMsr(msrOf(c).number)),
    and: (_, peer) => ((peer.fields.rax | peer.fields.rdx) & 0xffffffffn) === 0n,
  }),
  way('F-144', 'MSRs that do not exist may be written, and values are not checked', {
    ways: ['13>6'],
    about: both(is('wrmsr'), (c) => refusesMsr(msrOf(c).number, msrOf(c).value)),
  }),
  way('F-150', 'MTRRs hold what the firmware wrote, MCG_CAP tells of ten banks', {
    ways: ['6>6'],
    alike: ['rax', 'rdx', 'f2', 'memory'],
    about: both(is('rdmsr'), (c) => /^RDMSR (MTRR|MCG_CAP)/.test(c.note)),
  }),
  way('F-150', 'SYSENTER_ESP, SYSENTER_EIP and TSC_AUX keep their upper halves', {
    ways: ['6>6'],
    alike: ['rdx', 'f2', 'memory'],
    about: both(is('wrmsr'), (c) => /^WRMSR (SYSENTER_E[SI]P|TSC_AUX)/.test(c.note)),
  }),
  way('F-142', 'WRFSBASE and WRGSBASE take addresses that are not canonical', {
    ways: ['13>6'],
    about: both(is('wrfsbase', 'wrgsbase'), (c) => !canonical(c.gpr?.[0] ?? 0n)),
  }),
];

/** SYSENTER_CS is null to a processor, but not 0. */
const oddNull = (c: SystemCase): boolean => {
  const cs = preparedMsr(c, 0x174);
  return cs !== null && cs > 0n && cs < 4n;
};

const INSTRUCTIONS: readonly Explanation[] = [
  way('F-145', 'MONITOR does not look at the memory that it watches', { ways: ['14>6', '13>6', '12>6'], about: is('monitor') }),
  way('F-145', 'INT1 does nothing', { ways: ['1>6'], about: is('int1') }),
  way('F-145', 'EMMS does not look at CR0.TS and CR0.EM', {
    ways: ['7>6', '6>6'],
    alike: ['f0', 'f2', 'memory'],
    about: both(noted(/^coprocessor$/), is('emms')),
  }),
  way('F-145', '#NM comes before the #UD of CR0.EM', {
    ways: ['6>7'],
    about: both(noted(/^coprocessor$/), is('movaps', 'xorps', 'ldmxcsr'), (c) => ((c.cr0 ?? 0) & 0xc) === 0xc),
  }),
  way('F-145', 'SYSENTER and SYSEXIT are there in compatibility mode', {
    ways: ['6>6', '6>13'],
    alike: ['rsp', 'f0', 'f1', 'f2', 'f3', 'f4', 'cs_ss', 'memory'],
    about: both(is('sysenter', 'sysexit'), (c) => c.mode === 'compat16' || c.mode === 'compat32'),
    // #UD here is of the instruction itself, where the case's code begins.
    and: (ours) => (ours.fields.f0 & 0xfffn) === 0n,
  }),
  way('F-145', 'SYSEXIT is #UD in 64-bit code before the ring is looked at', {
    ways: ['13>6'],
    about: both(is('sysexit'), (c) => c.mode === '64' && c.ring === 3),
  }),
  way('F-145', 'SYSENTER_CS is null only as 0', {
    ways: ['13>6'],
    about: both(is('sysenter', 'sysexit'), (c) => !isLong(c.mode) && oddNull(c)),
  }),
  way('F-145', 'SYSCALL loses the arithmetic flags', { ways: ['6>6'], alike: ['f2', 'flags', 'memory'], about: is('syscall') }),
  way('F-145', 'SYSRET in real mode is #GP before EFER.SCE is asked', {
    ways: ['6>13'],
    about: both(is('sysret'), (c) => c.mode === 'real' && c.efer !== 1),
  }),
  way('F-145', 'LAR and LSL refuse types of descriptors that they know', {
    ways: ['6>6'],
    alike: ['rcx', 'f2', 'flags', 'memory'],
    about: is('lar', 'lsl'),
  }),
  way('F-145', 'RDPMC does not exist', {
    ways: ['6>6'],
    alike: ['rax', 'rdx', 'f0', 'f2', 'memory'],
    about: both(is('rdpmc'), (c) => c.ring === 0),
  }),
  way('F-145', 'XSETBV in ring 3 is #GP without CR4.OSXSAVE', {
    ways: ['6>13'],
    about: both(is('xsetbv'), (c) => c.ring === 3 && ((c.cr4 ?? 0) & 0x40000) === 0),
  }),
];

const TRANSFERS: readonly Explanation[] = [
  way('F-150', 'LTR takes the type of a 16-bit task state in long mode', {
    ways: ['13>6'],
    about: both(is('ltr'), (c) => c.ring === 0 && isLong(c.mode)),
    and: (ours, peer) => peer.fields.ldtr_tr >> 32n === ours.fields.f0,
  }),
  way('F-146', 'LTR takes a null selector', { ways: ['13>6'], about: both(is('ltr'), (c) => c.ring === 0), and: noSelector }),
  way('F-146', 'LSS in 64-bit code takes a null selector with another ring than CPL', {
    ways: ['13>6'],
    about: both(is('lss', 'mov_to_seg'), noted(/^segment load$/, '64')),
    and: noSelector,
  }),
  way('F-146', 'far transfers to beyond a limit name the selector', {
    ways: ['13>13'],
    alike: ['f0', 'f2', 'f3', 'memory'],
    about: noted(/^far transfer$/),
    and: (ours, peer) => ours.fields.f0 === 0n && peer.fields.f0 !== 0n,
  }),
  way('F-146', 'far transfers, returns and IRET do not look at the target’s limit, and at L with D', {
    ways: ['13>6'],
    about: noted(/^(far transfer|far return|return|to v86)$/),
  }),
  way('F-146', 'a far CALL from 64-bit code looks at a limit that does not count', {
    ways: ['6>13'],
    about: both(noted(/^far transfer$/, '64'), is('call_far')),
  }),
  way('F-146', 'IRET to a segment that is not present is #NP before its type is looked at', {
    ways: ['13>11'],
    about: both(noted(/^return$/), is('iret')),
    and: (ours, peer) => ours.fields.f0 === peer.fields.f0,
  }),
  way('F-146', 'task switches that fail end as #TS where the delivery fails again', {
    ways: ['8>10'],
    about: noted(/^(far transfer|int .*)$/),
  }),
];

const INTERRUPTED = ['33', '47', '58'].map((vector) => `${vector}>${vector}`);

const INTERRUPTS: readonly Explanation[] = [
  way('F-149', 'code where no memory is stops QEMU', { ways: ['6>hang', '6>reset', '6>failed'], about: noted(/^page fetch$/) }),
  way('F-149', 'words on ports of the serial line end QEMU', {
    ways: ['6>failed'],
    about: both(is('in', 'out', 'ins', 'outs'), (c) => c.gpr?.[2] === 0x3ffn),
  }),
  way('F-149', 'an interrupt comes where the translated block ends; a second STI or MOV SS in a row does not count', {
    ways: INTERRUPTED,
    alike: ['rcx', 'rdi', 'f0', 'memory'],
    about: noted(/^interrupt waits$/),
  }),
  way('F-149', 'breakpoints on code crash QEMU in real and virtual-8086 mode', {
    ways: ['1>failed', '6>failed'],
    about: noted(/^breakpoint code$/, 'real', 'v86'),
  }),
  way('F-149', 'breakpoints on code match later or elsewhere', { ways: ['6>1'], about: noted(/^breakpoint code$/) }),
  way('F-149', 'breakpoints on data match other addresses', { ways: ['6>1', '1>6'], about: noted(/^breakpoint data$/) }),
  way('F-149', 'breakpoints on data hit the handler', {
    ways: ['1>1', '6>1'],
    alike: ['rsp', 'f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7', 'f8', 'f9', 'memory'],
    about: noted(/^breakpoint data$/, 'real'),
  }),
  way('F-149', 'DR6 names all breakpoints with a step of REP', { ways: ['1>1'], alike: ['dr6', 'memory'], about: noted(/^step rep_/) }),
];

export const QEMU_EXPLANATIONS: readonly Explanation[] = [...SEGMENTS, ...REGISTERS, ...INSTRUCTIONS, ...TRANSFERS, ...INTERRUPTS];
