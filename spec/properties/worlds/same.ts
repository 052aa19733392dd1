/** Whether two plain values are the same, however deep. */
export const same = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((value, i) => same(value, b[i]));
  return !Array.isArray(b) && sameFields(a as Record<string, unknown>, b as Record<string, unknown>);
};

const sameFields = (a: Record<string, unknown>, b: Record<string, unknown>): boolean => {
  let count = 0;
  for (const name in a) {
    if (!same(a[name], b[name])) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
};
