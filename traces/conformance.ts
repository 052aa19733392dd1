/**
 * Conformance scripts: a symbolic program as data, with what real Xen wrote on the console when it ran, line by line. Any engine that can
 * build the program's image can be held to them. One JSON file each, `traces/conformance/NAME.json`; made whole by `xenspec record --conformance`.
 */
import { z } from 'zod';
import { BadInput } from '#spec/failure.ts';
import { Program } from '#spec/program.ts';
import { firstProblem } from './format.ts';

export const CONFORMANCE_FORMAT = 'xenspec-conformance';
export const CONFORMANCE_VERSION = 1;

/** What the recorder saw. */
export const Expected = z.strictObject({
  producer: z.string().min(1),
  version: z.string(),
  /** Domain 0's console, line by line, without line feeds. */
  console: z.array(z.string()),
  /** SHUTDOWN reason that ended the machine. */
  reason: z.int().min(0),
});

export const Conformance = z.strictObject({
  format: z.literal(CONFORMANCE_FORMAT),
  version: z.literal(CONFORMANCE_VERSION),
  title: z.string().min(1),
  /** Clauses that its recording is evidence for. */
  clauses: z.array(z.string()),
  program: Program,
  /** Null in a script that has not been recorded yet. */
  expected: Expected.nullable(),
});
export type Conformance = z.infer<typeof Conformance>;

/** Throws BadInput with one line for anything that is not a script. */
export const parseConformance = (text: string, where: string): Conformance => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadInput(`${where}: not JSON`);
  }
  const parsed = Conformance.safeParse(value);
  if (!parsed.success) throw new BadInput(`${where}: ${firstProblem(parsed.error)}`);
  return parsed.data;
};

const list = (items: readonly unknown[], indent: string): string =>
  items.length === 0 ? '[]' : `[\n${items.map((i) => `${indent}  ${JSON.stringify(i)}`).join(',\n')}\n${indent}]`;

/** A script as it stands in its file: one step, and one line of console, a line. */
export const printConformance = (script: Conformance): string => {
  const { expected } = script;
  const fields = [
    `"format": ${JSON.stringify(script.format)}`,
    `"version": ${script.version}`,
    `"title": ${JSON.stringify(script.title)}`,
    `"clauses": ${JSON.stringify(script.clauses)}`,
    `"program": {\n    ${script.program.vcpus === undefined ? '' : `"vcpus": ${script.program.vcpus},\n    `}"steps": ${list(script.program.steps, '    ')}\n  }`,
    expected === null
      ? '"expected": null'
      : `"expected": {\n    "producer": ${JSON.stringify(expected.producer)},\n    "version": ${JSON.stringify(expected.version)},\n    "console": ${list(expected.console, '    ')},\n    "reason": ${expected.reason}\n  }`,
  ];
  return `{\n  ${fields.join(',\n  ')}\n}\n`;
};
