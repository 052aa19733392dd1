/** Choices of one of `sizes[n]` for each n; the same array again and again. */
export function* choices(sizes: readonly number[]): Generator<readonly number[]> {
  const chosen = sizes.map(() => 0);
  for (;;) {
    yield chosen;
    let n = 0;
    while (n < sizes.length && ++chosen[n]! === sizes[n]) chosen[n++] = 0;
    if (n === sizes.length) return;
  }
}
