import { expect, test } from 'vitest';
import { BadInput, ModelBug, NotModelled } from '#spec/failure.ts';
import { domain, frame } from '#spec/properties/testing/small_machine.ts';
import { engine, SUBJECT } from './testing/toy.ts';
import { faultOf, isNoteworthy, Watch } from './watch.ts';

const MFN = SUBJECT.config.layout.domheap_first;
const SHARED = SUBJECT.config.layout.xenheap_first;

/** Domain 0 has a page that is held once too often, and one port too many. */
const watched = (): Watch =>
  new Watch(
    SUBJECT.config,
    engine({
      shows: () => ({ cpus: [], domains: [domain(0, { pages: 2, shared_info: SHARED })] }),
      frames: [frame(MFN, { refs: 2 })],
    }),
  );
const ids = (watch: Watch): readonly string[] => [...watch.look()].map(({ invariant }) => invariant);

test('a machine is told of by each invariant that it breaks', () => {
  const watch = watched();
  expect(ids(watch)).toEqual(['count/references', 'count/pages']);
  expect(watch.first()).toMatchObject({ invariant: 'count/references' });
  watch.cited();
  watch.cited(['vcpu/initialise-done']);
  expect(ids(watch)).toEqual(['count/references', 'count/pages']);
});

test('behind a call that leaves references to nobody these are not asked for any more', () => {
  const watch = watched();
  watch.cited(['vcpu/initialise-registers', 'vcpu/initialise-table']);
  expect(ids(watch)).toEqual(['count/pages']);
  watch.cited(['vcpu/initialise-done']);
  expect(watch.first()).toMatchObject({ invariant: 'count/pages' });
});

test('work is told of every machine that it was told of', () => {
  const report = { events: [], retired: 0 };
  const long = { ...report, work: [{ call: 'iret', domid: 0, kind: 'port', units: 9 }] } as const;
  const told = (...reports: readonly (typeof report)[]) =>
    [...watched().look(...reports)].filter(({ invariant }) => invariant === 'work/bounded').length;
  expect([told(), told(report), told(report, long), told(long, report), told(long, long)]).toEqual([0, 0, 1, 1, 2]);
  const stuck = { ...report, left: ['a timer is due'] };
  expect([...watched().look(report, stuck)]).toContainEqual({ invariant: 'neutral/exit', what: 'when all was over: a timer is due' });
  expect([isNoteworthy(report), isNoteworthy(long), isNoteworthy(stuck)]).toEqual([false, true, true]);
});

test('what ends a machine is a fault of its own, or says what it is', () => {
  expect([faultOf(new NotModelled('x')), faultOf(new BadInput('x'))]).toEqual([null, null]);
  expect(faultOf(new ModelBug('a frame has no owner'))).toEqual({
    invariant: 'total/machine',
    what: 'ModelBug: a frame has no owner',
  });
  expect(faultOf(new Error('host fault: beyond the frame table'))).toEqual({
    invariant: 'total/machine',
    what: 'host fault: beyond the frame table',
  });
  expect(faultOf(new RangeError('an index'))).toMatchObject({ what: 'RangeError: an index' });
  expect(faultOf('a text')).toMatchObject({ what: 'a text' });
});
