/**
 * Conformance scripts of 32-bit PV guests: machine code step by step as data, with the events that it brought about. No Xen that could be recorded runs
 * such guests, so that the expectation is what model and executor both did. One JSON file each, `traces/conformance/pv32/NAME.json`; the events are made
 * whole by `xenspec record --pv32`.
 */
import { z } from 'zod';
import { BadInput } from '#spec/failure.ts';
import { Program } from '#spec/program.ts';
import { firstProblem } from './format.ts';

export const PV32_FORMAT = 'xenspec-conformance-pv32';
export const PV32_VERSION = 1;

const hexBytes = z.string().regex(/^([0-9a-f]{2})*$/, 'bytes in hexadecimal');

export const Pv32Script = z.strictObject({
  format: z.literal(PV32_FORMAT),
  version: z.literal(PV32_VERSION),
  title: z.string().min(1),
  /** What the model cites while it carries the script out, of the chapter about such guests. */
  clauses: z.array(z.string()),
  /** The guest is domain 0, or domain 1 beside a 64-bit domain 0 that sleeps, or beside one that does what `control` says. */
  role: z.enum(['dom0', 'domu', 'beside']),
  vcpus: z.int().min(1).max(2),
  /** Steps after which a vCPU gives way to another. */
  slice: z.int().min(1),
  /** Of Xen's questions whether to stop a long call, counted anew whenever a vCPU goes on, those that are answered with yes. */
  stops: z.array(z.int().min(1)),
  /** How low Xen may begin, as the image's note says; 0: it says nothing. */
  xenStart: z.int().min(0).max(0xffffffff),
  control: Program.nullable(),
  /** Code that runs one after the other, behind what every such guest does first. */
  steps: z.array(z.strictObject({ name: z.string().min(1), code: hexBytes })).min(1),
  /** Null in a script that was not carried out yet. */
  expected: z.strictObject({ finish: z.string().min(1), events: z.array(z.string()) }).nullable(),
});
export type Pv32Script = z.infer<typeof Pv32Script>;

/** Throws BadInput with one line for anything that is not such a script. */
export const parsePv32Script = (text: string, where: string): Pv32Script => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadInput(`${where}: not JSON`);
  }
  const parsed = Pv32Script.safeParse(value);
  if (!parsed.success) throw new BadInput(`${where}: ${firstProblem(parsed.error)}`);
  return parsed.data;
};

const list = (items: readonly unknown[], indent: string): string =>
  items.length === 0 ? '[]' : `[\n${items.map((i) => `${indent}  ${JSON.stringify(i)}`).join(',\n')}\n${indent}]`;

/** A script as it stands in its file: a step, and an event, a line. */
export const printPv32Script = ({ steps, control, expected, ...head }: Pv32Script): string => {
  const fields = [
    ...Object.entries(head).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`),
    control === null ? '"control": null' : `"control": {"steps": ${list(control.steps, '  ')}}`,
    `"steps": ${list(steps, '  ')}`,
    expected === null
      ? '"expected": null'
      : `"expected": {\n    "finish": ${JSON.stringify(expected.finish)},\n    "events": ${list(expected.events, '    ')}\n  }`,
  ];
  return `{\n  ${fields.join(',\n  ')}\n}\n`;
};
