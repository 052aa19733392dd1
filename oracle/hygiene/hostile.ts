/** Damage for hostile-input tests: deterministic in the seed, so that a failure names one file. */

/** xorshift32. */
const generator = (seed: number) => {
  let x = (seed * 2654435761 + 1) | 0 || 1;
  return (below: number): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
};

/** Flip bits, overwrite fields with extreme values, cut, or extend: one of them, or several at once. */
export const damage = (bytes: Uint8Array, seed: number): Uint8Array => {
  const random = generator(seed);
  let out = Uint8Array.from(bytes);
  for (let rounds = 1 + random(4); rounds > 0; rounds--) {
    // Half of the damage goes to the first kilobyte, where headers are.
    const at = random(random(2) === 0 ? Math.max(1, Math.min(1024, out.length)) : Math.max(1, out.length));
    switch (random(6)) {
      case 0:
        out = out.slice(0, at);
        break;
      case 1:
        out.fill([0, 0xff, 0x7f, 0x80][random(4)]!, at, at + [1, 2, 4, 8][random(4)]!);
        break;
      case 2:
        out = new Uint8Array([...out.subarray(0, at), ...Array.from({ length: random(64) }, () => random(256)), ...out.subarray(at)]);
        break;
      default:
        if (out.length > 0) out[at % out.length] = out[at % out.length]! ^ (1 << random(8));
    }
  }
  return out;
};
