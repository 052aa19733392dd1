/** What the chapters show and nobody writes: state diagrams, from the tables by which the model decides, and tables of what was measured. */
import { EVENT_RULES, type EventState } from '#model/hypercall/event_channel/event_word.ts';
import { CHANNEL_STATES, type ChannelState, MADE_BY, ON_A_PORT } from '#model/hypercall/event_channel/lifecycle.ts';
import { BEGINS, ENDS, USE_STATES, WANTS_UNUSED } from '#model/hypercall/grant_table/lifecycle.ts';
import { measured } from '../campaign/hunt/measured.ts';
import { pageOf } from '../campaign/hunt/page.ts';

type Edge = { readonly from: string; readonly to: string; readonly label: string };

/** A mermaid state diagram; edges between the same two states share an arrow. */
const drawn = (start: string, edges: readonly Edge[]): string => {
  const arrows = new Map<string, string[]>();
  for (const { from, to, label } of edges) arrows.set(`${from} --> ${to}`, [...(arrows.get(`${from} --> ${to}`) ?? []), label]);
  const lines = [...arrows].map(([arrow, labels]) => `    ${arrow}: ${labels.join(', ')}`);
  return ['```mermaid', 'stateDiagram-v2', `    [*] --> ${start}`, ...lines, '```'].join('\n');
};

const channelEdges = (): Edge[] =>
  Object.entries({ ...MADE_BY, ...ON_A_PORT }).flatMap(([label, steps]) =>
    CHANNEL_STATES.flatMap((from) => {
      const step = (steps as Partial<Record<ChannelState, { readonly to?: ChannelState }>>)[from];
      return step?.to && step.to !== from ? [{ from, to: step.to, label }] : [];
    }),
  );

const BOOLEANS = [false, true] as const;
const eventStates = (): EventState[] =>
  BOOLEANS.flatMap((pending) => BOOLEANS.flatMap((masked) => BOOLEANS.map((linked) => ({ pending, masked, linked }))));

const nameOf = ({ pending, masked, linked }: EventState): string =>
  (pending ? 'P' : '') + (masked ? 'M' : '') + (linked ? 'L' : '') || 'none';

/** What is unmasked while it is pending is raised. */
const unmasked = (event: EventState): EventState => {
  const open = EVENT_RULES.unmask(event);
  return open.pending ? EVENT_RULES.raise(open) : open;
};

const eventEdges = (): Edge[] =>
  Object.entries({ raise: EVENT_RULES.raise, unmask: unmasked, close: EVENT_RULES.close }).flatMap(([label, rule]) =>
    eventStates().flatMap((event) => {
      const [from, to] = [nameOf(event), nameOf(rule(event))];
      return from === to ? [] : [{ from, to, label }];
    }),
  );

const grantEdges = (): Edge[] => {
  const begun = Object.entries(BEGINS).flatMap(([label, uses]) => USE_STATES.map((from) => ({ from, to: uses[from].to, label })));
  const ended = Object.entries(ENDS).flatMap(([label, ends]) =>
    Object.entries(ends).flatMap(([from, left]) => (left as readonly string[]).map((to) => ({ from, to, label }))),
  );
  const unused = Object.keys(WANTS_UNUSED).map((label) => ({ from: 'unused', to: 'unused', label }));
  return [...begun, ...ended, ...unused];
};

/** By the name that a chapter gives after `drawn:`. */
const DIAGRAMS: Readonly<Record<string, () => string>> = {
  channel: () => drawn('free', channelEdges()),
  'event word': () => drawn('none', eventEdges()),
  'grant in use': () => drawn('unused', grantEdges()),
  advisories: () => pageOf(measured()),
};

const PLACE = /<!-- drawn: ([a-z ]+) -->\n[\s\S]*?<!-- end -->/g;

/** The chapter with its diagrams drawn anew. Throws for a diagram that nobody can draw. */
export const withDiagrams = (markdown: string): string =>
  markdown.replace(PLACE, (_, name: string) => {
    const draw = DIAGRAMS[name];
    if (!draw) throw new Error(`no diagram is called "${name}"`);
    return `<!-- drawn: ${name} -->\n\n${draw()}\n\n<!-- end -->`;
  });
