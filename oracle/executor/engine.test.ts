import { expect, test } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import { boot } from './engine.ts';
import { image } from './hypervisor/testing/image.ts';

/** mov eax, 18; xor edi, edi; mov esi, 2; lea rdx, [rip + …]; syscall; then the same way out: sched_op shutdown with reason 0. */
const PROGRAM = [
  0xb8, 18, 0, 0, 0, 0x31, 0xff, 0xbe, 2, 0, 0, 0, 0x48, 0x8d, 0x15, 0x1a, 0, 0, 0, 0x0f, 0x05, 0xb8, 29, 0, 0, 0, 0xbf, 2, 0, 0, 0, 0x48,
  0x8d, 0x35, 0x0b, 0, 0, 0, 0x0f, 0x05, 0xf4, 0, 0, 0, 0, 0x68, 0x69, 0, 0, 0, 0, 0, 0,
];

const start = (domains = 1) => {
  const file = image();
  file.set(PROGRAM, 4096);
  const all = [dom0('', 8), domU(1, '', 8)].slice(0, domains);
  return boot(
    { ...debian_4_17(all), frames: 0x2000 },
    all.map(() => file),
  );
};

test('an image prints and powers off', () => {
  const engine = start();
  expect(engine.status()).toMatchObject({ now: 0, halted: null, current: [null], runnable: [{ domid: 0, vcpu: 0 }], deadline: null });
  engine.apply({ kind: 'schedule', cpu: 0, vcpu: { domid: 0, vcpu: 0 } });
  expect(engine.status().deadline).toBe(10_000_000);
  const { events, retired } = engine.apply({ kind: 'execute', cpu: 0, steps: 100 });
  expect(events.map(({ kind }) => kind)).toEqual(['console', 'hypercall', 'hypercall', 'shutdown', 'runstate']);
  expect(events[0]).toEqual({ kind: 'console', domid: 0, bytes: 'hi' });
  expect([retired, engine.status().halted, engine.observe().domains[0]!.console_bytes]).toEqual([9, 0, 2]);
});

test('after the end every input is accepted and does nothing', () => {
  const engine = start();
  engine.apply({ kind: 'schedule', cpu: 0, vcpu: { domid: 0, vcpu: 0 } });
  engine.apply({ kind: 'execute', cpu: 0, steps: 100 });
  const before = engine.observe();
  for (const input of [
    { kind: 'time', now: 1e9 },
    { kind: 'execute', cpu: 0, steps: 1 },
    { kind: 'console_input', bytes: 'x' },
  ] as const) {
    expect(engine.apply(input)).toEqual({ events: [], retired: 0, questions: 0 });
  }
  expect(engine.observe()).toEqual(before);
});

test("a domU's end leaves dom0 running", () => {
  const engine = start(2);
  engine.apply({ kind: 'schedule', cpu: 0, vcpu: { domid: 1, vcpu: 0 } });
  engine.apply({ kind: 'execute', cpu: 0, steps: 100 });
  expect(engine.status()).toMatchObject({ halted: null, runnable: [{ domid: 0, vcpu: 0 }] });
  expect(engine.observe().domains[1]).toMatchObject({ shutdown: 0, console_bytes: 2 });
});

test('two machines built alike are alike, and one step makes them differ', () => {
  const [one, other] = [start(), start()];
  expect(one.observe()).toEqual(other.observe());
  one.apply({ kind: 'schedule', cpu: 0, vcpu: { domid: 0, vcpu: 0 } });
  const before = one.observe();
  one.apply({ kind: 'execute', cpu: 0, steps: 1 });
  expect(one.observe()).not.toEqual(before);
});

test('frames and pages for the judge', () => {
  const engine = start();
  const frames = [...engine.frames()];
  expect(frames.filter(({ pinned }) => pinned)).toMatchObject([{ owner: 0, type: 'l4', refs: 4, type_refs: 2 }]);
  const populated = new Set(engine.populated());
  expect(populated.has(frames.find(({ pinned }) => pinned)!.mfn)).toBe(true);
  expect(engine.page(0x1000).slice(0, 5)).toEqual(Uint8Array.from(PROGRAM.slice(0, 5)));
});

test.each([
  ['too few images', [dom0('', 8), domU(1)], 1],
  ['no domain 0', [domU(1, '', 8)], 1],
  ['the same number twice', [dom0('', 8), dom0('', 8)], 2],
  ['more memory than there is', [dom0('', 1024)], 1],
])('a machine with %s is refused', (_, domains, images) => {
  expect(() =>
    boot(
      debian_4_17(domains),
      Array.from({ length: images }, () => image()),
    ),
  ).toThrow(BadInput);
});
