/** What became of each advisory: hunted, by which methods, and with what result. */
import { ADVISORIES, type Advisory, MILESTONE, type Missing, mutantOfAdvisory, SET_ASIDE } from '../../mutants/advisories/index.ts';
import { type Hunt, type HuntOptions, hunt, type Method } from './hunt.ts';

export type Result = {
  /** Of the advisory. */
  readonly id: string;
  readonly summary: string | null;
  readonly expressible: boolean;
  readonly missing: Missing | null;
  readonly milestone: boolean;
  /** Its row was set aside before the generators were widened. */
  readonly set_aside: boolean;
  readonly killed: boolean;
  /** The method that took least, and what it took. */
  readonly by: Method | null;
  /** Of the processor's time, from the first program on. */
  readonly seconds: number | null;
  /** Of the counterexample: what its guests do, call by call. */
  readonly steps: number | null;
  readonly methods: Hunt;
};

export const GROUPS = ['all', 'milestone', 'set-aside', 'others'] as const;
export type Group = (typeof GROUPS)[number];

/** Advisories of a group: the machine need not be able to have them. */
export const inGroup = (group: Group): readonly Advisory[] =>
  ADVISORIES.filter(({ id }) => {
    if (group === 'all') return true;
    const own = MILESTONE.includes(id) ? 'milestone' : SET_ASIDE.includes(id) ? 'set-aside' : 'others';
    return own === group;
  });

export const resultOf = ({ id, missing }: Advisory, methods: Hunt): Result => {
  const kills = Object.entries(methods).flatMap(([by, kill]) => (kill ? [{ by: by as Method, ...kill }] : []));
  const best = kills.sort((a, b) => a.seconds - b.seconds)[0];
  return {
    id,
    summary: mutantOfAdvisory(id)?.summary ?? null,
    expressible: missing === null,
    missing,
    milestone: MILESTONE.includes(id),
    set_aside: SET_ASIDE.includes(id),
    killed: best !== undefined,
    by: best?.by ?? null,
    seconds: best?.seconds ?? null,
    steps: best?.steps ?? null,
    methods,
  };
};

/** Hunts side by side; `known` are results of an earlier run, which are not hunted again. */
export const huntAdvisories = async (
  advisories: readonly Advisory[],
  options: HuntOptions & { readonly jobs: number; readonly known?: readonly Result[]; readonly onResult?: (result: Result) => void },
): Promise<readonly Result[]> => {
  const { jobs, known = [], onResult, ...how } = options;
  const results = new Map(known.map((result) => [result.id, result]));
  const queue = advisories.filter(({ id }) => !results.has(id));
  const take = async (): Promise<void> => {
    for (let advisory = queue.shift(); advisory; advisory = queue.shift()) {
      const mutant = mutantOfAdvisory(advisory.id);
      const result = resultOf(advisory, mutant ? await hunt(mutant, how) : {});
      results.set(advisory.id, result);
      onResult?.(result);
    }
  };
  await Promise.all(Array.from({ length: jobs }, take));
  return advisories.map(({ id }) => results.get(id)!);
};
