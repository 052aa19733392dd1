import { expect, test } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import { CHANGES } from '#spec/releases/changes.ts';
import { XEN_RELEASES } from '#spec/releases/release.ts';
import { between, betweenText } from './explain_between.ts';

test.each(XEN_RELEASES.flatMap((from) => XEN_RELEASES.filter((to) => to !== from).map((to) => [from, to] as const)))(
  'each change from %s to %s was seen on real Xen',
  async (from, to) => {
    const differences = await between(from, to);
    expect(differences.map(({ change }) => change)).toEqual(
      Object.entries(CHANGES).flatMap(([name, { ways }]) => (ways[from] === ways[to] ? [] : [name])),
    );
    for (const { sides } of differences) {
      const [before, after] = sides;
      expect(before.lines.length + after.lines.length).toBeGreaterThan(0);
      expect(after.lines).not.toEqual(before.lines);
    }
  },
);

test('it is told with its evidence', async () => {
  const text = betweenText(await between('4.14', '4.17'));
  expect(text).toContain('dm_op-no_buffers (clause dm/buffers-none)');
  expect(text).toContain('0.6 dm_op rc=-61');
  expect(text).toContain('traces/recorded/4.14/release-control.trace.gz');
});

test('nothing changes between a release and itself, and other releases are not known', async () => {
  expect(betweenText(await between('4.20', '4.20'))).toBe('nothing\n');
  await expect(between('4.14', '4.18')).rejects.toThrow(BadInput);
});
