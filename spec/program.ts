/**
 * Symbolic guest programs: plain data that a compiler turns into bootable images, and that says nothing about machine
 * addresses. A program reports one line for each step, `<program>.<step> <operation> name=value …`, on the domain's console.
 */
import { z } from 'zod';
import { HYPERCALL, type HypercallName } from './abi/hypercall.ts';
import type { LayoutName } from './abi/layouts.ts';
import { LAYOUTS } from './abi/layouts.ts';
import { XEN_RELEASES } from './releases/release.ts';

const names = <T extends string>(table: Readonly<Record<T, unknown>>): [T, ...T[]] => Object.keys(table) as [T, ...T[]];

/** A number: a safe integer, negative ones in two's complement, or up to 16 hex digits. */
export const Literal = z.union([z.int(), z.string().regex(/^0x[0-9a-f]{1,16}$/)]);
export type Literal = z.infer<typeof Literal>;

/** A page by name: a pool page by number, an initial page table, or another page whose address the guest knows. `peer` is the other domain's page of results. */
export const Page = z.union([
  z.int().min(0).max(15),
  z.enum([
    'l4',
    'l3',
    'l2',
    'l1',
    'shared_info',
    'start_info',
    'hypercall',
    'grant0',
    'grant1',
    'grant2',
    'grant3',
    'user_l4',
    'user_l3',
    'user_l2',
    'user_l1',
    'code',
  ]),
]);
export type Page = z.infer<typeof Page>;

/** Handlers of the guest runtime whose addresses a program may hand to Xen. `catch` ends the step, `resume` notes the vector and returns. */
export const Handler = z.enum(['catch', 'resume', 'event', 'failsafe', 'syscall', 'nmi']);

/** An operand: a literal, or something that exists only when the program runs. */
export const Value = z.union([
  Literal,
  /** What step `step` brought: its field `of`, or the hypercall's result. `else` stands in when the step is gone. */
  z.strictObject({ step: z.int(), of: z.string().optional(), else: Literal.optional() }),
  /** A page's frame number, machine or virtual address plus `plus`, or a page table entry with `flags`; `table`: the entry of level 1 that maps it. */
  z.strictObject({
    page: Page,
    as: z.enum(['mfn', 'maddr', 'va', 'pfn', 'pte', 'entry_va', 'entry_maddr', 'user_va']),
    plus: z.int().optional(),
    flags: Literal.optional(),
  }),
  /** System time plus nanoseconds. */
  z.strictObject({ now: z.int() }),
  z.strictObject({ handler: Handler, vector: z.int().min(0).max(255).optional() }),
]);
export type Value = z.infer<typeof Value>;

/** What a hypercall's argument or a structure's pointer field holds: a value, or the address of data laid out in guest memory. */
export type Argument =
  | Value
  | { readonly struct: LayoutName; readonly fields: Readonly<Record<string, Argument>> }
  | {
      readonly structs: readonly { readonly struct: LayoutName; readonly fields: Readonly<Record<string, Argument>> }[];
      readonly end?: boolean | undefined;
    }
  | { readonly array: readonly Value[]; readonly size: 1 | 2 | 4 | 8; readonly show?: z.infer<typeof Shown> | undefined }
  | { readonly text: string }
  | { readonly buffer: number; readonly show?: 'bytes' | 'string' | 'nothing' | undefined }
  | { readonly calls: readonly Call[] };

/** A hypercall inside a multicall, or a step's. */
export type Call = { readonly call: HypercallName | number; readonly args: readonly Argument[] };

/** How a number is printed: as spec/abi/layout.ts names kinds, or signed, hexadecimal, or not at all. */
export const Shown = z.enum(['number', 'signed', 'hex', 'mfn', 'maddr', 'vaddr', 'pte', 'pte_ad', 'nothing']);

const CallName = z.union([z.enum(names(HYPERCALL)), z.int().min(0).max(0xffffffff)]);
const Struct = z.strictObject({
  struct: z.enum(names(LAYOUTS)),
  get fields() {
    return z.record(z.string(), Argument);
  },
});
export const Argument: z.ZodType<Argument> = z.lazy(() =>
  z.union([
    Value,
    Struct,
    z.strictObject({ structs: z.array(Struct), end: z.boolean().optional() }),
    z.strictObject({
      array: z.array(Value),
      size: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8)]),
      show: Shown.optional(),
    }),
    z.strictObject({ text: z.string().max(1024) }),
    z.strictObject({ buffer: z.int().min(1).max(8192), show: z.enum(['bytes', 'string', 'nothing']).optional() }),
    z.strictObject({ calls: z.array(Call) }),
  ]),
);
export const Call: z.ZodType<Call> = z.strictObject({ call: CallName, args: z.array(Argument).max(6) });

/** Memory operand: `[base + index*scale + disp]`, in a pool page when one is named. */
export const MemoryOperand = z.strictObject({
  size: z.union([z.literal(8), z.literal(16), z.literal(32), z.literal(64)]),
  base: z.string().optional(),
  index: z.string().optional(),
  scale: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8)]).optional(),
  disp: z.int().min(-0x80000000).max(0x7fffffff).optional(),
  page: Page.optional(),
});
/** An instruction by its assembler name; a string operand that begins with a digit is a constant, any other a register. `to` names the instruction of the block to branch to. */
export const Instruction = z.union([
  z.strictObject({ op: z.string(), args: z.array(z.union([Literal, z.string(), MemoryOperand, z.strictObject({ to: z.int().min(0) })])) }),
  z.strictObject({ bytes: z.string().regex(/^([0-9a-f]{2}){1,15}$/) }),
]);
export type Instruction = z.infer<typeof Instruction>;

const GeneralRegister = z.enum(['rax', 'rcx', 'rdx', 'rbx', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15']);

const step = { id: z.int().min(0).max(9999), domain: z.int().min(0).max(1).optional() };

export const Step = z.discriminatedUnion('do', [
  /** One hypercall. Prints `rc=` and what Xen wrote. `via` page: through the hypercall page. */
  z.strictObject({
    ...step,
    do: z.literal('hypercall'),
    call: CallName,
    args: z.array(Argument).max(6),
    via: z.enum(['syscall', 'page']).optional(),
    /** vCPU 1 makes the call while vCPU 0 waits, and what came to vCPU 1 meanwhile is printed; `silent` when it does not answer. */
    vcpu: z.literal(1).optional(),
  }),
  /**
   * VCPUOP_initialise with a context whose kernel code carries out what hypercall steps with `vcpu` ask of it. `words` replaces quadwords
   * of the context, by offset.
   */
  z.strictObject({
    ...step,
    do: z.literal('initialise'),
    vcpu: z.int().min(0).max(0xffffffff).optional(),
    words: z
      .array(z.strictObject({ at: z.int().min(0).max(5160), value: Value }))
      .max(8)
      .optional(),
  }),
  /** A block of instructions. Prints a hash of the registers (or those named), and the flags that are defined, or the trap that ended it. */
  z.strictObject({
    ...step,
    do: z.literal('code'),
    regs: z.partialRecord(GeneralRegister, Value).optional(),
    flags: z.int().optional(),
    code: z.array(Instruction),
    show: z.union([z.literal('hash'), z.literal('nothing'), z.array(GeneralRegister)]).optional(),
    /** User mode comes back by `back`. */
    mode: z.enum(['kernel', 'user']).optional(),
    back: z.enum(['syscall', 'int']).optional(),
    /** User mode is entered by the iret hypercall, which returns by IRET, or by SYSRET when its frame says that it came by SYSCALL. */
    entry: z.enum(['iret', 'sysret']).optional(),
  }),
  /**
   * Many hypercalls with no line of their own. Without `draws` each is made once, in order, and all results are printed; with it so many are
   * drawn from the list by `seed`, and a mix of their results is printed. Results inside `calls` cannot be named by later steps. `batches`: so many
   * multicalls of 16 to 64 of the calls are drawn too; what they make counts among the draws, which end with the last run of calls.
   */
  z.strictObject({
    ...step,
    do: z.literal('calls'),
    calls: z.array(Call).min(1).max(400),
    draws: z.int().min(1).max(1_000_000).optional(),
    seed: z.int().min(0).max(0xffffffff).optional(),
    batches: z.int().min(0).max(8).optional(),
  }),
  /** One access to memory; `show` tells how the value read is printed. */
  z.strictObject({
    ...step,
    do: z.literal('access'),
    how: z.enum(['read', 'write', 'execute', 'swap']),
    at: Value,
    size: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8)]),
    value: Value.optional(),
    show: Shown.optional(),
    mode: z.enum(['kernel', 'user']).optional(),
  }),
  /** A hash of a page's 4096 bytes. */
  z.strictObject({ ...step, do: z.literal('hash'), page: Page }),
  /** Let upcalls in, or keep them out, by vCPU 0's mask; then enter Xen once. */
  z.strictObject({ ...step, do: z.literal('upcalls'), on: z.boolean() }),
  /** Set or clear bits of a port in the shared info page (`undefined` leaves one alone), and print both. */
  z.strictObject({ ...step, do: z.literal('port'), port: Value, mask: z.boolean().optional(), pending: z.boolean().optional() }),
  /** Print vCPU 0's upcall flags and the first words of pending and mask bits. */
  z.strictObject({ ...step, do: z.literal('events') }),
  /** Arm a timer and sleep until it comes; left out, and said so, when nothing would wake the vCPU. */
  z.strictObject({
    ...step,
    do: z.literal('wait'),
    how: z.enum(['block', 'poll']),
    timer: z.enum(['singleshot', 'set_timer_op', 'periodic', 'none']),
    ns: z.int().min(0).max(10_000_000_000),
    ports: z.array(Value).max(8).optional(),
  }),
  /** GNTTABOP_setup_table for this domain, and the frames mapped as pages grant0 and up. */
  z.strictObject({ ...step, do: z.literal('grant_setup'), frames: z.int().min(1).max(4) }),
  /** Write a grant entry. */
  z.strictObject({
    ...step,
    do: z.literal('grant_entry'),
    ref: Value,
    flags: z.int().min(0).max(0xffff),
    domid: z.int().min(0).max(0xffff),
    frame: Value,
  }),
  /**
   * Domain 1 has had its last turn. It sleeps, domain 0 pauses it and shows what it printed: from here on domain 1 stands where it stands. Nothing in a
   * program of one domain.
   */
  z.strictObject({ ...step, do: z.literal('rest') }),
  /** The end, when it is not an orderly poweroff. */
  z.strictObject({
    ...step,
    do: z.literal('end'),
    how: z.enum(['shutdown', 'unhandled', 'bad_stack', 'bad_iret', 'no_event_callback', 'user_without_table', 'vcpu_down']),
    reason: z.int().optional(),
    /** The stack pointer that bad_stack and bad_iret leave. */
    at: Value.optional(),
  }),
]);
export type Step = z.infer<typeof Step>;
export type StepOf<K extends Step['do']> = Extract<Step, { do: K }>;

/** Steps of all domains in the order in which they happen: domains hand over to each other in between. */
export const Program = z.strictObject({
  steps: z.array(Step).max(500),
  /** vCPUs of each domain; 1 when not given. Only vCPU 0 runs at the start. */
  vcpus: z.union([z.literal(1), z.literal(2)]).optional(),
  /** Release of Xen that it is made for, the reference when not given: the control domain's structures name a version. */
  release: z.enum(XEN_RELEASES).optional(),
});
export type Program = z.infer<typeof Program>;
