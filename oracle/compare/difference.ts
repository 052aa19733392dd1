/** Where two plain values first part. */
export type Difference = { readonly path: string; readonly expected: unknown; readonly seen: unknown };

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null;

/** First difference in key order, `null` when equal. Missing keys, extra keys and lengths count. */
export const firstDifference = (expected: unknown, seen: unknown, path = ''): Difference | null => {
  if (Object.is(expected, seen)) return null;
  if (Array.isArray(expected) && Array.isArray(seen)) {
    const shared = Math.min(expected.length, seen.length);
    for (let i = 0; i < shared; i++) {
      if (Object.is(expected[i], seen[i])) continue;
      const d = firstDifference(expected[i], seen[i], `${path}[${i}]`);
      if (d) return d;
    }
    if (expected.length === seen.length) return null;
    return { path: `${path}[${shared}]`, expected: expected[shared], seen: seen[shared] };
  }
  if (isObject(expected) && isObject(seen) && !Array.isArray(expected) && !Array.isArray(seen)) {
    const inside = (key: string): Difference | null =>
      Object.is(expected[key], seen[key]) ? null : firstDifference(expected[key], seen[key], path === '' ? key : `${path}.${key}`);
    for (const key of Object.keys(expected)) {
      const d = inside(key);
      if (d) return d;
    }
    for (const key of Object.keys(seen)) {
      const d = Object.hasOwn(expected, key) ? null : inside(key);
      if (d) return d;
    }
    return null;
  }
  return { path, expected, seen };
};
