/** Programs of 32-bit guests: what a seed draws, and the image that it becomes. */
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { BadInput } from '#spec/failure.ts';
import { type Code, call, dataSegments, keep, le, mov, store, storeByte } from './code.ts';
import { Draw } from './draw.ts';
import { image32 } from './image.ts';
import { BASE, DATA, HANDLERS, RESUME, SHARED, STACK, TABLES } from './layout.ts';
import { CALLS } from './steps/calls.ts';
import type { Family } from './steps/family.ts';
import { GATES } from './steps/gates.ts';
import { MEMORY_STEPS } from './steps/memory.ts';
import { PROCESSOR } from './steps/processor.ts';

const FAMILIES: Readonly<Record<string, Family>> = { ...PROCESSOR, ...CALLS, ...MEMORY_STEPS, ...GATES };
export const FAMILY_NAMES: readonly string[] = Object.keys(FAMILIES);

export type Step = { readonly family: string; readonly code: Code };
export type Pv32Program = {
  readonly seed: number;
  /** First frame of the guest's memory. */
  readonly firstFrame: number;
  /** How low Xen may begin, as the image's note says; 0: it says nothing. */
  readonly xenStart: number;
  readonly steps: readonly Step[];
};

/** `families`: those to draw from; all when none is named. Throws BadInput for a name that is none. */
export const drawProgram = (seed: number, firstFrame: number, length: number, families: readonly string[] = FAMILY_NAMES): Pv32Program => {
  const unknown = families.find((name) => !(name in FAMILIES));
  if (unknown !== undefined) throw new BadInput(`no family of 32-bit steps: ${unknown}; there are ${FAMILY_NAMES.join(', ')}`);
  const draw = new Draw(seed, firstFrame);
  const xenStart = draw.pick(0, 0, 0xf0000000, 0xf5800000);
  const steps = Array.from({ length }, (): Step => {
    const family = families[draw.below(families.length)]!;
    return { family, code: FAMILIES[family]!(draw) };
  });
  return { seed, firstFrame, xenStart, steps };
};

const KERNEL_CS = 0xe019;
const KERNEL_SS = 0xe021;
const START_INFO_SHARED_INFO = 36;
const START_INFO_PT_BASE = 60;
const SHUTDOWN_POWEROFF = 0;
const SHUTDOWN_CRASH = 3;
const UVMF_INVLPG = 2;
const { shutdown } = SUBOPERATIONS.sched_op;

const shutDown = (reason: number): Code => [...store(DATA, reason), ...call(HYPERCALL.sched_op, shutdown, DATA), 0xeb, 0xfe];
const iret = [0x50, 0xb8, ...le(HYPERCALL.iret), 0xcd, 0x82];
/** Frames within ring 1 need no Xen to go back by. */
const IRET = 0xcf;

/** Code at fixed places, up to the end of the handlers. */
const handlers = (): Code => {
  const code: number[] = [0xe9, ...le(HANDLERS.end - BASE - 5)];
  const place = (at: number, bytes: Code): void => {
    while (code.length < at - BASE) code.push(0x90);
    if (code.length > at - BASE) throw new RangeError('handlers overlap');
    code.push(...bytes);
  };
  place(HANDLERS.skipping, [0x83, 0x04, 0x24, 0x02, IRET]);
  place(HANDLERS.event, [...storeByte(SHARED, 0), ...iret]);
  place(HANDLERS.store, [0x83, 0xc4, 4, 0x83, 0x04, 0x24, 10, IRET]);
  place(HANDLERS.fatal, shutDown(SHUTDOWN_CRASH));
  place(HANDLERS.returning, [IRET]);
  place(HANDLERS.recover, [...dataSegments(KERNEL_SS), ...mov('esp', STACK), 0xff, 0x25, ...le(RESUME)]);
  place(HANDLERS.end, []);
  return code;
};

const TRAPS: readonly (readonly [vector: number, flags: number, handler: number])[] = [
  [6, 0, HANDLERS.skipping],
  [13, 0, HANDLERS.fatal],
  [14, 0, HANDLERS.store],
  [3, 3, HANDLERS.returning],
  [0x80, 3, HANDLERS.returning],
  [0x40, 1, HANDLERS.returning],
];

/** What every program does first. */
const start = (): Code => [
  // The address of the L3, from start_info.
  ...[0x8b, 0x46, START_INFO_PT_BASE],
  ...keep(TABLES),
  // Its shared_info is mapped, present and writable.
  ...[0x8b, 0x4e, START_INFO_SHARED_INFO],
  ...[0x83, 0xc9, 0x23],
  ...mov('ebx', SHARED),
  ...mov('edx', 0),
  ...mov('esi', UVMF_INVLPG),
  ...call(HYPERCALL.update_va_mapping),
  ...mov('esp', STACK),
  ...TRAPS.flatMap(([vector, flags, handler], i) => [
    ...store(DATA + 8 * i, vector | (flags << 8) | (KERNEL_CS << 16)),
    ...store(DATA + 8 * i + 4, handler),
  ]),
  ...store(DATA + 8 * TRAPS.length + 4, 0),
  ...call(HYPERCALL.set_trap_table, DATA),
  ...call(HYPERCALL.set_callbacks, KERNEL_CS, HANDLERS.event, KERNEL_CS, HANDLERS.event),
  ...call(HYPERCALL.stack_switch, KERNEL_SS, STACK),
  ...call(HYPERCALL.vcpu_op, SUBOPERATIONS.vcpu_op.stop_periodic_timer, 0, 0),
  ...storeByte(SHARED + 1, 0),
];

export const imageOf = ({ xenStart, steps }: Pv32Program): Uint8Array =>
  image32([...handlers(), ...start(), ...steps.flatMap(({ code }) => code), ...shutDown(SHUTDOWN_POWEROFF)], xenStart);
