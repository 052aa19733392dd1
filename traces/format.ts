/**
 * The trace format, version 1: JSON Lines, one record a line; files are gzip-compressed. A trace is a header, then records in
 * order of happening, then an end record; a file without its end record was truncated.
 *
 * A trace says what its producer could see (`visible`): a recording of real Xen sees console bytes and the end of the machine, an engine
 * sees everything. A replayer compares what is visible and nothing else. Records that were lost are marked, never left out
 * silently: from such a mark on, a difference proves nothing.
 *
 * With `inputs` visible, the trace holds the inputs themselves, each before what it brought about; a replayer applies them instead of
 * choosing its own. With `observations` visible, an `observation` is the machine as it was after the inputs before it.
 */
import { z } from 'zod';
import { MachineConfig } from '#spec/config.ts';
import { Event } from '#spec/event.ts';
import { Input } from '#spec/input.ts';

export const TRACE_FORMAT = 'xenspec-trace';
export const TRACE_VERSION = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const TraceImage = z.object({
  domid: z.int().min(0),
  sha256,
  /** The ELF file, base64. */
  elf: z.base64(),
});

export const Visible = z.enum(['console', 'end', 'events', 'inputs', 'observations']);

export const TraceHeader = z.object({
  record: z.literal('header'),
  format: z.literal(TRACE_FORMAT),
  version: z.literal(TRACE_VERSION),
  /** Who recorded: `xen`, `model`, `executor`, or another implementation; version as it calls itself. */
  producer: z.object({ name: z.string().min(1), version: z.string(), details: z.record(z.string(), z.string()) }),
  title: z.string(),
  visible: z.array(Visible).min(1),
  machine: MachineConfig,
  images: z.array(TraceImage).min(1),
  /** How open choices were made; a recording of a real machine has none. */
  policy: z
    .object({
      slice: z.int().min(1),
      nsPerStep: z.number().positive().max(1_000_000),
      seed: z.int(),
      preempt: z.int().min(1).optional(),
    })
    .nullable(),
  /** The symbolic program(s) that the images were built from (spec/program.ts), when there is one. */
  program: z.json().nullable(),
  /** Seed that generated the program. */
  seed: z.int().nullable(),
  /** Clauses that the trace is evidence for. */
  clauses: z.array(z.string()),
});
export type TraceHeader = z.infer<typeof TraceHeader>;

export const TraceRecord = z.discriminatedUnion('record', [
  z.object({ record: z.literal('input'), input: Input }),
  z.object({ record: z.literal('event'), event: Event }),
  /** All that an engine shows of itself (spec/observation.ts), compared as the plain JSON that it is. */
  z.object({ record: z.literal('observation'), observation: z.record(z.string(), z.json()) }),
  /** Records are missing here; count null when unknown. */
  z.object({ record: z.literal('lost'), count: z.int().min(1).nullable(), reason: z.string() }),
  /** `reason`: the SHUTDOWN code with which the machine ended, null when it did not end by itself (then `finish` says why recording stopped). */
  z.object({
    record: z.literal('end'),
    finish: z.enum(['halted', 'idle', 'limit', 'not_modelled', 'timeout']),
    reason: z.int().nullable(),
    retired: z.int().nullable(),
  }),
]);
export type TraceRecord = z.infer<typeof TraceRecord>;
export type TraceEnd = Extract<TraceRecord, { record: 'end' }>;

export type Trace = { readonly header: TraceHeader; readonly records: readonly TraceRecord[] };

/** First problem of a zod error in one line. */
export const firstProblem = (error: z.ZodError): string => {
  const issue = error.issues[0];
  return issue ? `${issue.path.join('.') || 'record'}: ${issue.message}` : 'invalid';
};
