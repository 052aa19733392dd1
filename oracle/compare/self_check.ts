/**
 * Does the judge see everything? Pairs of machines that differ in exactly one thing, each of which the judge must report. Returns
 * the names of what it overlooked, so that mutants of the judge itself can be told from the judge.
 */
import { mixFirst, mixSecond } from '#spec/digest.ts';
import type { Boot, Engine, Report } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Observation } from '#spec/observation.ts';
import { compareEndings, compareMachines, lockstep, type Subject } from './lockstep.ts';

type Path = readonly (string | number)[];
type Plain = Record<string | number, unknown>;

const pathsOf = (value: unknown, at: Path = []): readonly Path[] => {
  if (typeof value !== 'object' || value === null) return [at];
  const inner = Object.entries(value).flatMap(([key, v]) => pathsOf(v, [...at, Array.isArray(value) ? Number(key) : key]));
  return Array.isArray(value) && value.length > 0 ? [...inner, [...at, 'length']] : inner;
};

/** A copy with one leaf changed, or one list shortened. */
const perturbed = <T>(value: T, path: Path): T => {
  const copy = structuredClone(value) as Plain;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Plain;
  const last = path.at(-1)!;
  const old = at[last];
  if (last === 'length') (at as unknown as unknown[]).pop();
  else at[last] = typeof old === 'number' ? old + 1 : typeof old === 'boolean' ? !old : typeof old === 'string' ? `${old}0` : 1;
  return copy as T;
};

/** An engine that behaves like another, but for what `change` overrides. */
const posing = (engine: Engine, change: Partial<Engine>): Engine => ({
  name: engine.name,
  apply: (i) => engine.apply(i),
  status: () => engine.status(),
  observe: () => engine.observe(),
  frames: () => engine.frames(),
  page: (m) => engine.page(m),
  populated: () => engine.populated(),
  ...change,
});

/** Run `subject` for a while, then let every part of what the machine shows differ, one after the other. */
export const selfCheck = (boot: Boot, subject: Subject): readonly string[] => {
  const blind: string[] = [];
  const must = (name: string, found: unknown): void => {
    if (!found) blind.push(name);
  };
  const engine = boot(subject.config, subject.images);
  engine.apply({ kind: 'schedule', cpu: 0, vcpu: { domid: 0, vcpu: 0 } });
  const reports: Report[] = [];
  for (let i = 0; i < 40; i++) reports.push(engine.apply({ kind: 'execute', cpu: 0, steps: 50 }));
  const observation: Observation = engine.observe();
  const status = engine.status();

  if (compareMachines(engine, engine)) blind.push('sees a difference where there is none');
  for (const path of pathsOf(observation))
    must(`observation ${path.join('.')}`, compareMachines(engine, posing(engine, { observe: () => perturbed(observation, path) })));
  for (const path of pathsOf(status))
    must(`status ${path.join('.')}`, compareMachines(engine, posing(engine, { status: () => perturbed(status, path) })));

  const told = reports.find((r) => r.events.length > 0);
  if (!told) blind.push('no event to try');
  else {
    const ending = (report: Report) => ({ kind: 'report' as const, report });
    const stopped = (what: string, before: Report | null = null) => ({ kind: 'not_modelled' as const, what, before });
    for (const path of pathsOf(told.events))
      must(`event ${path.join('.')}`, compareEndings(ending(told), ending({ ...told, events: perturbed(told.events as Event[], path) })));
    must('retired', compareEndings(ending(told), ending({ ...told, retired: told.retired + 1 })));
    must('questions', compareEndings(ending({ ...told, questions: 1 }), ending({ ...told, questions: 2 })));
    must('a failure of one side', compareEndings(ending(told), stopped('x')));
    must('failures of other names', compareEndings(stopped('x'), stopped('y')));
    must('what came before such a failure', compareEndings(stopped('x', told), stopped('x')));
    must('bugs on both sides', compareEndings({ kind: 'bug', message: 'x', stack: '' }, { kind: 'bug', message: 'x', stack: '' }));
  }

  // A memory digest that differs must be traced to the byte.
  const digestOff = { observe: () => ({ ...observation, memory: `${observation.memory}x` }) };
  const mfn = [...engine.populated()][3]!;
  const page = Uint8Array.from(engine.page(mfn));
  page[4095] = page[4095]! ^ 0x80;
  const byByte = compareMachines(engine, posing(engine, { ...digestOff, page: (m) => (m === mfn ? page : engine.page(m)) }));
  must('the page of a memory difference', byByte?.difference.path === `memory[mfn 0x${mfn.toString(16)} + 0xff8]`);

  // Every bit of a word reaches both sums.
  for (const mix of [mixFirst, mixSecond])
    for (let bit = 0; bit < 32; bit++) {
      must(`digest low bit ${bit}`, mix(5, 6, 1 << bit, 0) !== 0);
      must(`digest high bit ${bit}`, mix(5, 6, 0, 1 << bit) !== 0);
      must(
        `digest place of bit ${bit}`,
        mix(5, 6, 1 << bit, 0) !== mix(5, 7, 1 << bit, 0) && mix(5, 6, 1 << bit, 0) !== mix(6, 6, 1 << bit, 0),
      );
    }

  // In a whole run, a difference in the last input only is still a difference.
  const late: Boot = (config, images) => {
    const inner = boot(config, images);
    return posing(inner, {
      observe: () => (inner.status().halted === null ? inner.observe() : perturbed(inner.observe(), ['domains', 0, 'console_bytes'])),
    });
  };
  must('a difference in the last observation', !lockstep({ reference: boot, subject: late }, subject, { observeEvery: 1000 }).agree);
  const dropsAnEvent: Boot = (config, images) => {
    const inner = boot(config, images);
    let dropped = false;
    return posing(inner, {
      apply: (input) => {
        const report = inner.apply(input);
        if (dropped || report.events.length === 0) return report;
        dropped = true;
        return { ...report, events: report.events.slice(1) };
      },
    });
  };
  must('one dropped event in a run', !lockstep({ reference: boot, subject: dropsAnEvent }, subject).agree);
  const neverModelled: Boot = (config, images) =>
    posing(boot(config, images), {
      apply: () => {
        throw new NotModelled('everything');
      },
    });
  must('a machine that models nothing', !lockstep({ reference: boot, subject: neverModelled }, subject).agree);
  return blind;
};
