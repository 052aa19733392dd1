/** Numbers for what values are made of: two values have one number when they have the same content, down to the last field. */

/** Values never change once they are made, so that what was numbered is not looked at again. `skipped`: fields that do not count. */
export const contents = (skipped: readonly string[]): ((value: unknown) => number) => {
  const known = new WeakMap<object, number>();
  const numbers = new Map<string, number>();
  const left = new Set(skipped);
  const numberOf = (text: string): number => {
    const number = numbers.get(text) ?? numbers.size;
    if (number === numbers.size) numbers.set(text, number);
    return number;
  };
  const textOf = (value: object): string => {
    if (Array.isArray(value)) return `[${value.map(of).join()}`;
    if (value instanceof Uint8Array) return `b${value.join()}`;
    if (value instanceof Map) return `m${of([...value])}`;
    if (value instanceof Set) return `s${of([...value])}`;
    const fields = Object.entries(value).filter(([field, content]) => !left.has(field) && content !== undefined);
    return `{${fields
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([field, content]) => `${field}=${of(content)}`)
      .join()}`;
  };
  const of = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return numberOf(`${typeof value} ${String(value)}`);
    const before = known.get(value);
    if (before !== undefined) return before;
    const number = numberOf(textOf(value));
    known.set(value, number);
    return number;
  };
  return of;
};
