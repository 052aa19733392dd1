/** Damage for hostile-input tests to JSON that stays JSON: values become others, of the same type or not, or go. */

/** Whole numbers from 0 up to, and not including, `below`; deterministic in the seed. */
export const generator = (seed: number): ((below: number) => number) => {
  let x = Math.imul(seed, 2654435761) | 1;
  return (below) => {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    return (x >>> 8) % below;
  };
};

const ODD: readonly unknown[] = [
  ...[0, -1, 1, 2, 255, 512, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER, 2 ** 53, 1e308, 0.5],
  ...[null, true, [], {}, '', 'x', '0x', '0x1', '0xffffffffffffffff', 'é'.repeat(20), '\u0000\n', 'a'.repeat(5000)],
];

type Path = readonly (string | number)[];

const pathsIn = (value: unknown, leave: readonly string[], at: Path = []): Path[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => (leave.includes(key) ? [] : [[...at, key], ...pathsIn(inner, leave, [...at, key])]))
    : [];

/** One or two values changed; what stands under the keys `leave` is left alone. */
export const mutateJson = (text: string, random: (below: number) => number, leave: readonly string[] = []): string => {
  const value: unknown = JSON.parse(text);
  for (let rounds = 1 + random(2); rounds > 0; rounds--) {
    const paths = pathsIn(value, leave);
    const path = paths[random(paths.length)];
    if (!path) break;
    let holder = value as Record<string | number, unknown>;
    for (const key of path.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
    if (random(5) === 0) delete holder[path.at(-1)!];
    else holder[path.at(-1)!] = ODD[random(ODD.length)];
  }
  return JSON.stringify(value);
};
