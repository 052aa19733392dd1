import { expect, it } from 'vitest';
import { Pool } from './pool.ts';

it('never runs more than its width, keeps the order, and survives a failure', async () => {
  const pool = new Pool(2);
  let now = 0;
  let most = 0;
  const order: number[] = [];
  const results = await Promise.allSettled(
    [0, 1, 2, 3, 4, 5].map((n) =>
      pool.run(async () => {
        order.push(n);
        most = Math.max(most, ++now);
        await new Promise((go) => setTimeout(go, 2));
        now--;
        if (n === 1) throw new Error('one');
        return n;
      }),
    ),
  );
  expect(most).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', ...Array(4).fill('fulfilled')]);
});
