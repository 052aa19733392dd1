/** A second vCPU of a 32-bit domain: its context, and where it starts. */
import { expect, test } from 'vitest';
import { COMPAT } from '#spec/abi/compat.ts';
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { VGCF } from '#spec/abi/xen.ts';
import { debian_4_17, dom0 } from '#spec/machines/debian_4_17.ts';
import { withCompat } from '#spec/machines/pv32.ts';
import { lockstep } from '../../compare/lockstep.ts';
import { loadEngine } from '../engines.ts';
import { DEFAULT_POLICY } from '../environment.ts';
import { add, type Code, call, keep, load, store } from './code.ts';
import { BASE, DATA, HANDLERS, PAGE, PAGES, SPARE, STACK, TABLES } from './layout.ts';
import { imageOf } from './program.ts';

const [reference, subject] = [await loadEngine('model'), await loadEngine('executor')];
const config = withCompat(debian_4_17([{ ...dom0(), vcpus: 2, pages: PAGES }]));
const firstFrame = config.layout.domheap_first;
/** Reasons are bytes; programs that end by themselves have 0. */
const FROM_SECOND = 0x78;
const { initialise, up, is_up } = SUBOPERATIONS.vcpu_op;
const context = COMPAT.vcpu_guest_context.fields;
const regs = COMPAT.cpu_user_regs.fields;
const CONTEXT = SPARE;
const SECOND = SPARE + 2 * PAGE;
const REASON = DATA + 0x200;
const CR3_AT = context.ctrlreg.at + 12;
const [ONLINE, I387_VALID] = [VGCF.online, VGCF.i387_valid];
const [READ_ONLY, INVLPG] = [0x21, 2];
const [RING1_CS, RING1_SS] = [0xe019, 0xe021];

/** The L3's address as the program's start left it, made the machine's: its frame's number is below 2^20. */
const L3: Code = [...load(TABLES), ...add(firstFrame * PAGE - BASE)];
const set = (at: number, value: number): Code => store(CONTEXT + at, value);
const user = (name: keyof typeof regs, value: number): Code => set(context.user_regs.at + regs[name].at, value);
const good: Code = [
  ...L3,
  ...keep(CONTEXT + CR3_AT),
  ...user('eip', SECOND),
  ...user('cs', RING1_CS & ~3),
  ...user('ss', RING1_SS & ~3),
  ...user('ds', RING1_SS),
  ...user('es', RING1_SS),
  ...user('esp', STACK - 0x400),
  ...user('eflags', 0x1202),
  ...user('ebx', 0x12345678),
  ...set(context.kernel_ss.at, RING1_SS),
  ...set(context.kernel_sp.at, STACK - 0x400),
];
/** Shuts down with its EBX for a reason: MOV [REASON], EBX. */
const second: Code = [
  ...[0x89, 0x1d, REASON & 255, (REASON >> 8) & 255, (REASON >> 16) & 255, 0],
  ...call(HYPERCALL.sched_op, SUBOPERATIONS.sched_op.shutdown, REASON),
];
const write = (at: number, code: Code): Code =>
  Array.from({ length: Math.ceil(code.length / 4) }, (_, k) => {
    const [a = 0x90, b = 0x90, c = 0x90, d = 0x90] = code.slice(4 * k, 4 * k + 4);
    return store(at + 4 * k, (a | (b << 8) | (c << 16) | (d << 24)) >>> 0);
  }).flat();

/** What model and executor, in lockstep, answer the vcpu_op calls behind the program's start, and the reason of the shutdown. */
const run = (...code: readonly Code[]) => {
  const image = imageOf({
    seed: 0,
    firstFrame,
    xenStart: 0,
    steps: [{ family: 'second', code: [...write(SECOND, second), ...code.flat()] }],
  });
  const verdict = lockstep(
    { reference, subject },
    { config, images: [image] },
    { limit: 100_000, policy: { ...DEFAULT_POLICY, slice: 50 } },
  );
  if (!verdict.agree) throw new Error(JSON.stringify(verdict.divergence.difference));
  const answers = verdict.events.flatMap((event) => (event.kind === 'hypercall' && event.call === 'vcpu_op' ? [event.result] : []));
  const reasons = verdict.events.flatMap((event) => (event.kind === 'shutdown' ? [event.reason] : []));
  return { answers: answers.slice(1), reasons };
};
const vcpu = (cmd: number, arg = 0): Code => call(HYPERCALL.vcpu_op, cmd, 1, arg);
const yielding = Array.from({ length: 40 }, () => call(HYPERCALL.sched_op, SUBOPERATIONS.sched_op.yield, 0)).flat();
const [EEXIST, EINVAL, EFAULT] = ['0xffffffef', '0xffffffea', '0xfffffff2'];

test('starts where its context says', () => {
  const { answers, reasons } = run(
    good,
    vcpu(initialise, CONTEXT),
    vcpu(initialise, CONTEXT),
    vcpu(is_up),
    vcpu(up),
    vcpu(is_up),
    yielding,
  );
  expect({ answers, reasons }).toEqual({ answers: ['0x0', EEXIST, '0x0', '0x0', '0x1'], reasons: [FROM_SECOND] });
});

test('is up when the context says so', () =>
  expect(run(good, set(context.flags.at, ONLINE), vcpu(initialise, CONTEXT), vcpu(is_up))).toEqual({
    answers: ['0x0', '0x1'],
    reasons: [0],
  }));

test.each([
  ['an LDT that is not at a page', set(context.ldt_base.at, 8)],
  ['too large an LDT', set(context.ldt_ents.at, 8193)],
  ['too large a GDT', set(context.gdt_ents.at, 8193)],
  ['a GDT frame of nobody', [...set(context.gdt_ents.at, 1), ...set(context.gdt_frames.at, 0xfffff)]],
  ['an L3 of nobody', set(CR3_AT, 0x7000)],
  ['a frame that is used as something else', set(CR3_AT, (firstFrame + (CONTEXT - BASE) / PAGE) << 12)],
])('is not initialised with %s', (_, change) => {
  expect(run(good, change, vcpu(initialise, CONTEXT), vcpu(up))).toEqual({ answers: [EINVAL, EINVAL], reasons: [0] });
});

test('takes descriptor tables, and callbacks with their selectors', () => {
  const frame = firstFrame + (SPARE + 3 * PAGE - BASE) / PAGE;
  const tables = [
    ...call(HYPERCALL.update_va_mapping, SPARE + 3 * PAGE, frame * PAGE + READ_ONLY, 0, INVLPG),
    ...set(context.gdt_ents.at, 3),
    ...set(context.gdt_frames.at, frame),
    ...set(context.ldt_base.at, SPARE + 4 * PAGE),
    ...set(context.ldt_ents.at, 5),
    ...set(context.event_callback_cs.at, RING1_CS & ~3),
    ...set(context.event_callback_eip.at, HANDLERS.event),
    ...set(context.failsafe_callback_cs.at, RING1_CS | 3),
    ...set(context.flags.at, I387_VALID),
    ...set(context.fpu_ctxt.at, 0x27f),
    ...set(context.fpu_ctxt.at + 24, 0x1f00),
  ];
  expect(run(good, tables, vcpu(initialise, CONTEXT), vcpu(up), yielding)).toEqual({ answers: ['0x0', '0x0'], reasons: [FROM_SECOND] });
});

test('has a context that can be read', () => expect(run(vcpu(initialise, 0x1000)).answers).toEqual([EFAULT]));
