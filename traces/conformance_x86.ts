/**
 * Conformance scripts of the processor and of a machine without Xen: a small case as data with the answer of a machine that nobody here wrote, QEMU,
 * Bochs or the processor itself. One JSON file each, `traces/conformance/x86/NAME.json` and `traces/conformance/bare/NAME.json`, made whole by
 * `xenspec record --isa x86`. Numbers are hexadecimal text; what a case or an answer leaves out is 0.
 */
import { z } from 'zod';
import { BadInput } from '#spec/failure.ts';
import { firstProblem } from './format.ts';

export const X86_FORMAT = 'xenspec-conformance-x86';
export const X86_VERSION = 1;

const number = z.string().regex(/^0x[0-9a-f]{1,32}$/, 'a number in hexadecimal, e.g. 0x1f');
const number32 = z.string().regex(/^0x[0-9a-f]{1,8}$/, 'a number of 32 bits in hexadecimal, e.g. 0x1f');
const hexBytes = (most: number) =>
  z
    .string()
    .regex(/^([0-9a-f]{2})*$/, 'bytes in hexadecimal')
    .max(2 * most);
const REGISTERS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;
export const REGISTER_NAMES: readonly string[] = REGISTERS;
const registers = z.partialRecord(z.enum(REGISTERS), number);

const Action = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('store'), at: number32, value: number32 }),
  z.strictObject({ do: z.literal('out'), port: number32, value: number32 }),
  z.strictObject({ do: z.literal('msr'), msr: number32, value: number }),
]);

/** Code between a beginning and a record of what came of it, in a bare image of its own (oracle/image/bare/case.ts). */
export const SystemScriptCase = z.strictObject({
  /** The row of the opcode table that it is about, as rowLabel names it. */
  instruction: z.string().min(1),
  mode: z.enum(['real', 'v86', 'prot16', 'prot32', 'compat16', 'compat32', '64']),
  ring: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
  paging: z.enum(['none', '32', 'pae', '4level']),
  feature: z.string().optional(),
  code: hexBytes(0x280),
  registers: registers.optional(),
  flags: number32.optional(),
  segments: z.partialRecord(z.enum(['cs', 'ss', 'ds', 'es', 'fs', 'gs']), z.string().regex(/^0x[0-9a-f]{1,4}$/)).optional(),
  ip: number.optional(),
  sp: number.optional(),
  cr0: number32.optional(),
  cr3: number32.optional(),
  cr4: number32.optional(),
  cr8: number32.optional(),
  efer: number32.optional(),
  ldt: number32.optional(),
  tr: number32.optional(),
  dr: z.array(number).max(5).optional(),
  before: z.array(Action).max(200).optional(),
  after: z.array(Action).max(200).optional(),
});
export type SystemScriptCase = z.infer<typeof SystemScriptCase>;

const SystemAnswer = z.strictObject({
  /** `record`: the case came to an exception (UD2 behind it, if no other) and told. Else it took the machine away. */
  end: z.enum(['record', 'reset']),
  fields: z.record(z.string(), number),
  /** Words of memory that it changed: address and new value. */
  changes: z.array(z.tuple([number32, number32])),
});
export type SystemAnswer = z.infer<typeof SystemAnswer>;

const Fx = z.strictObject({
  control: number32.optional(),
  status: number32.optional(),
  tag: number32.optional(),
  mxcsr: number32.optional(),
  /** Physical registers of the x87, and XMM registers, by number. */
  x87: z.partialRecord(z.string().regex(/^[0-7]$/), number).optional(),
  xmm: z.partialRecord(z.string().regex(/^([0-9]|1[0-5])$/), number).optional(),
});
export type FxText = z.infer<typeof Fx>;

const Bytes = z.strictObject({ at: number32, bytes: hexBytes(1024) });

/** One instruction, and the state that it meets in the window of oracle/image/instruction. */
export const InstructionScriptCase = z.strictObject({
  instruction: z.string().min(1),
  mode: z.enum(['64', '32', '16']),
  way: z.enum(['through', 'step']),
  /** Operand size in bytes, and where the first operand is: a register's number or memory. */
  size: z.union([z.literal(2), z.literal(4), z.literal(8)]),
  destination: z.union([z.int().min(0).max(15), z.literal('memory'), z.null()]),
  form: z.string(),
  code: hexBytes(20),
  rip: number32,
  segments: z
    .array(z.string().regex(/^0x[0-9a-f]{1,4}$/))
    .length(6)
    .optional(),
  registers: registers.optional(),
  flags: number32,
  fsBase: number.optional(),
  gsBase: number.optional(),
  fx: Fx.optional(),
  memory: number.optional(),
  pokes: z.array(Bytes).max(16).optional(),
  selectors: z
    .array(
      z.union([
        z.strictObject({ name: z.enum(['code64', 'data']), register: z.int().min(0).max(15) }),
        z.strictObject({ name: z.enum(['code64', 'data']), at: z.int().min(0).max(0x7fffffff) }),
      ]),
    )
    .max(16)
    .optional(),
});
export type InstructionScriptCase = z.infer<typeof InstructionScriptCase>;

const InstructionAnswer = z.strictObject({
  end: z.enum(['done', 'step', 'fault', 'trap', 'syscall']),
  vector: number32.optional(),
  error: number32.optional(),
  address: number.optional(),
  registers: registers.optional(),
  rip: number,
  flags: number32,
  fsBase: number.optional(),
  gsBase: number.optional(),
  fx: Fx.optional(),
  selectors: z.array(z.string().regex(/^0x[0-9a-f]{1,4}$/)).length(6),
  changes: z.array(Bytes),
});
export type InstructionAnswer = z.infer<typeof InstructionAnswer>;

/** Who gave the answer. `findings`: what explains the words in which this judge said otherwise (spec/findings.md), and no others. */
const Judge = z.strictObject({ name: z.enum(['qemu', 'bochs', 'silicon']), version: z.string(), findings: z.array(z.string()) });
export type ScriptJudge = z.infer<typeof Judge>;

const head = {
  format: z.literal(X86_FORMAT),
  version: z.literal(X86_VERSION),
  title: z.string().min(1),
  /** The seed that it was drawn from, before it was made smaller; null when somebody wrote it. */
  seed: z.int().min(0).nullable(),
  /** What the model cites for the case, of what chapters say about processor and devices, beyond what an empty case of its place cites. */
  clauses: z.array(z.string()),
  judges: z.array(Judge),
  /** The code as objdump reads it, for people. */
  listing: z.array(z.string()),
};
const SystemScript = z.strictObject({ ...head, kind: z.literal('system'), case: SystemScriptCase, expected: SystemAnswer.nullable() });
export type SystemScript = z.infer<typeof SystemScript>;
const InstructionScript = z.strictObject({
  ...head,
  kind: z.literal('instruction'),
  case: InstructionScriptCase,
  expected: InstructionAnswer.nullable(),
});
export type InstructionScript = z.infer<typeof InstructionScript>;
export const X86Script = z.discriminatedUnion('kind', [SystemScript, InstructionScript]);
export type X86Script = z.infer<typeof X86Script>;

/** Throws BadInput with one line for anything that is not such a script. */
export const parseX86Script = (text: string, where: string): X86Script => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadInput(`${where}: not JSON`);
  }
  const parsed = X86Script.safeParse(value);
  if (!parsed.success) throw new BadInput(`${where}: ${firstProblem(parsed.error)}`);
  return parsed.data;
};

const WIDE = 110;
/** JSON with one line for whatever fits. */
const pretty = (value: unknown, indent: string): string => {
  const short = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || short.length + indent.length <= WIDE) return short;
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => `${inner}${pretty(item, inner)}`)
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([name, item]) => `${inner}${JSON.stringify(name)}: ${pretty(item, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return `${open}\n${parts.join(',\n')}\n${indent}${close}`;
};

/** A script as it stands in its file. */
export const printX86Script = ({ format, version, kind, title, seed, clauses, judges, listing, case: c, expected }: X86Script): string =>
  `${pretty({ format, version, kind, title, seed, clauses, judges, listing, case: c, expected }, '')}\n`;
