/** `xenspec explain`: what the specification says of a clause, an operation or a hypercall, and what shows it. */
import { type Command, Option } from 'commander';
import { BadInput } from '#spec/failure.ts';
import { XEN_RELEASES } from '#spec/releases/release.ts';
import { type Citation, citations, clauseSections, type Evidence, evidence, type Section } from '../clause_index.ts';
import { EXIT } from '../exit_code.ts';
import { clausesNamed, clausesOf, type Operation, operationNamed } from '../operation_clauses.ts';
import { between, betweenText } from './explain_between.ts';
import { explainMatrix, type MatrixOptions } from './explain_matrix.ts';
import { scriptsTable, scriptsText } from './explain_scripts.ts';

export type Explained = Section & { readonly model: readonly Citation[]; readonly evidence: readonly Evidence[] };
export type Explanation = {
  readonly operation: Operation | null;
  readonly clauses: readonly Explained[];
  /** Clauses that hold for the operation's whole hypercall. */
  readonly shared: readonly Section[];
};

/** Throws BadInput for a word that means nothing here. */
export const explain = (word: string): Explanation => {
  const sections = clauseSections();
  const ids = sections.map((s) => s.id);
  const operation = operationNamed(word);
  const { own, shared } = operation ? clausesOf(operation, ids) : { own: clausesNamed(word, ids), shared: [] };
  if (!operation && own.length === 0) throw new BadInput(`${word}: neither a clause nor a hypercall of the specification`);
  const cited = citations(new Set(own));
  const shown = evidence();
  const pick = (chosen: readonly string[]): readonly Section[] => sections.filter((s) => chosen.includes(s.id));
  return {
    operation,
    clauses: pick(own).map((s) => ({ ...s, model: cited.get(s.id) ?? [], evidence: shown.get(s.id) ?? [] })),
    shared: pick(shared),
  };
};

const operationLines = ({ call, number, sub, command, subs, modelled }: Operation): readonly string[] => {
  const name = sub === null ? `${call}: hypercall ${number}` : `${call}/${sub}: hypercall ${number}, command ${command}`;
  const list = Object.entries(subs).map(([n, c]) => `${n} ${c}`);
  return [
    name,
    ...(list.length > 0 ? [`  commands: ${list.join(', ')}`] : []),
    ...(modelled ? [] : ['  not modelled: a run that comes to it stops there, or answers -ENOSYS with --lenient']),
    '',
  ];
};

/** Names of traces that are shown when more clauses than one are. */
const FEW = 3;

const clauseLines = ({ id, chapter, line, text, model, evidence: shown }: Explained, all: boolean): readonly string[] => {
  const named = (all ? shown : shown.slice(0, FEW)).map((e) => e.trace.replace(/\.trace\.gz$/, ''));
  const more = shown.length > named.length ? ` and ${shown.length - named.length} more` : '';
  const producers = [...new Set(shown.map((e) => e.producer))].join(', ');
  return [
    id,
    text.replace(/^/gm, '  '),
    '',
    `  text:      ${chapter}:${line}`,
    ...(model.length > 0 ? [`  model:     ${model.map((c) => `${c.file}:${c.line}`).join(', ')}`] : []),
    `  evidence:  ${shown.length === 0 ? 'no recorded trace' : `${named.join(', ')}${more} (recorded on ${producers})`}`,
    '',
  ];
};

const firstSentence = (text: string): string => /^.*?[.:](?=\s|$)/s.exec(text)?.[0].replaceAll('\n', ' ') ?? text;

export const explanationText = ({ operation, clauses, shared }: Explanation): string =>
  [
    ...(operation ? operationLines(operation) : []),
    ...(operation && clauses.length === 0 ? ['No clause speaks of it.', ''] : []),
    ...clauses.flatMap((c) => clauseLines(c, clauses.length === 1)),
    ...(shared.length > 0 ? ['For every command of the hypercall:', ...shared.map((s) => `  ${s.id}: ${firstSentence(s.text)}`), ''] : []),
  ].join('\n');

export const addExplain = (program: Command, done: (code: number) => void): void => {
  program
    .command('explain')
    .description(
      'what the specification says of a clause, an operation or a hypercall, where the model says it, and which recordings show it',
    )
    .argument('[what]', "clause id, its beginning, a hypercall, or a sub-operation; also as Xen's headers spell it")
    .option('--matrix', 'every hypercall and sub-operation (or those of one hypercall): modelled, refused and how, or not modelled and why')
    .option('--scripts', 'every clause (or those of a word) and the recorded scripts that exercise it, measured by carrying them out')
    .option('--between <releases...>', 'what changed for a guest from one release of Xen to another: two of them')
    .addOption(new Option('--xen <release>', 'with --matrix: and what this release of Xen does otherwise').choices([...XEN_RELEASES]))
    .option('--html <file>', 'with --matrix: write it as a page')
    .option('--json', 'machine-readable result')
    .addHelpText(
      'after',
      '\nExamples:\n  xenspec explain evtchn/bind_interdomain-unbound\n  xenspec explain EVTCHNOP_send\n  xenspec explain event_channel_op\n  xenspec explain page_type\n  xenspec explain --matrix memory_op\n  xenspec explain --matrix --html matrix.html\n  xenspec explain --scripts\n  xenspec explain --between 4.14 4.20',
    )
    .action(async (what: string | undefined, options: MatrixOptions & { matrix?: true; scripts?: true; between?: readonly string[] }) => {
      if (options.between !== undefined) {
        if (options.between.length !== 2 || what !== undefined || options.matrix || options.scripts)
          throw new BadInput('--between takes two releases, and nothing else');
        const differences = await between(...(options.between as [string, string]));
        process.stdout.write(options.json ? `${JSON.stringify(differences, null, 2)}\n` : betweenText(differences));
      } else if (options.scripts) {
        if (options.matrix || options.html !== undefined || options.xen !== undefined)
          throw new BadInput('--scripts stands alone, or with --json');
        const scripts = await scriptsTable(what);
        process.stdout.write(options.json ? `${JSON.stringify(scripts, null, 2)}\n` : scriptsText(scripts));
      } else if (options.matrix) explainMatrix(what, options);
      else if (options.html !== undefined || options.xen !== undefined) throw new BadInput('--html and --xen go with --matrix');
      else if (what === undefined) throw new BadInput('what to explain? A clause, an operation or a hypercall; or --matrix');
      else {
        const explanation = explain(what);
        process.stdout.write(options.json ? `${JSON.stringify(explanation, null, 2)}\n` : explanationText(explanation));
      }
      done(EXIT.ok);
    });
};
