/** `xenspec explain`: what the specification says of a clause, an operation or a hypercall. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { HYPERCALL, type HypercallName, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { CLAUSES } from '#spec/clauses.ts';
import { BadInput } from '#spec/failure.ts';
import { EXIT } from '../exit_code.ts';

type Section = { readonly id: string; readonly chapter: string; readonly text: string };
const CHAPTERS = new URL('../../../spec/chapters/', import.meta.url);

/** Every clause with its text, in the chapters' order. */
export const clauseSections = (): readonly Section[] => {
  const ids: ReadonlySet<string> = new Set(Object.keys(CLAUSES));
  return readdirSync(CHAPTERS)
    .filter((f) => f.endsWith('.md'))
    .sort()
    .flatMap((file) => {
      const sections: Section[] = [];
      let open: { id: string; text: string[] } | null = null;
      const close = (): void => {
        if (open) sections.push({ id: open.id, chapter: file, text: open.text.join('\n').trim() });
        open = null;
      };
      for (const line of readFileSync(new URL(file, CHAPTERS), 'utf8').split('\n')) {
        const heading = /^#{1,6}\s+(.*?)\s*$/.exec(line)?.[1];
        if (heading !== undefined) {
          close();
          const id = heading.replaceAll('`', '');
          if (ids.has(id)) open = { id, text: [] };
        } else (open as { text: string[] } | null)?.text.push(line);
      }
      close();
      return sections;
    });
};

/** Clause families that speak of a hypercall. */
const FAMILY: Readonly<Partial<Record<HypercallName, string>>> = {
  event_channel_op: 'evtchn',
  grant_table_op: 'gnttab',
  sched_op: 'sched',
  vcpu_op: 'vcpu',
  xen_version: 'version',
  console_io: 'console',
  mmu_update: 'mmu',
  mmuext_op: 'mmu',
  callback_op: 'callback',
};

/** Clauses that a user's word means: an id, a prefix, `event_channel_op`, `EVTCHNOP_send`, `event_channel_op/send`. */
export const findClauses = (word: string, sections: readonly Section[] = clauseSections()): readonly Section[] => {
  const plain = word.replace(/^(__HYPERVISOR_|HYPERVISOR_)/, '');
  const constant = /^([A-Z]+)OP_(\w+)$/.exec(plain);
  const prefixes = [plain];
  if (constant) prefixes.push(`${constant[1]!.toLowerCase()}/${constant[2]!.toLowerCase()}`);
  const [call, sub] = plain.split('/') as [string, string?];
  const family = FAMILY[call as HypercallName];
  if (family) prefixes.push(sub ? `${family}/${sub}` : `${family}/`);
  const exact = sections.filter((s) => s.id === plain);
  if (exact.length > 0) return exact;
  return sections.filter((s) =>
    prefixes.some(
      (p) =>
        s.id === p ||
        s.id.startsWith(p.endsWith('/') ? p : `${p}-`) ||
        s.id.startsWith(`${p}/`) ||
        s.id.split('/')[1] === p ||
        s.id.split('/')[1]?.startsWith(`${p}-`),
    ),
  );
};

const hypercallLine = (word: string): string | null => {
  if (!(word in HYPERCALL)) return null;
  const subs = (SUBOPERATIONS as Partial<Record<string, Record<string, number>>>)[word];
  return `${word}: hypercall ${HYPERCALL[word as HypercallName]}${
    subs
      ? `; ${Object.entries(subs)
          .map(([n, i]) => `${n} ${i}`)
          .join(', ')}`
      : ''
  }`;
};

export const addExplain = (program: Command, done: (code: number) => void): void => {
  program
    .command('explain')
    .description('what the specification says of a clause, an operation or a hypercall')
    .argument('<what>', 'clause id, its beginning, a hypercall, or a sub-operation')
    .option('--json', 'machine-readable result')
    .addHelpText(
      'after',
      '\nExamples:\n  xenspec explain evtchn/bind_interdomain-unbound\n  xenspec explain EVTCHNOP_send\n  xenspec explain event_channel_op',
    )
    .action((what: string, options: { json?: true }) => {
      const found = findClauses(what);
      const call = hypercallLine(what);
      if (found.length === 0 && !call) throw new BadInput(`${what}: neither a clause nor a hypercall of the specification`);
      if (options.json) process.stdout.write(`${JSON.stringify({ hypercall: call, clauses: found }, null, 2)}\n`);
      else {
        if (call) process.stdout.write(`${call}\n\n`);
        for (const s of found) process.stdout.write(`${s.id}  (spec/chapters/${s.chapter})\n${s.text.replace(/^/gm, '  ')}\n\n`);
      }
      done(EXIT.ok);
    });
};
