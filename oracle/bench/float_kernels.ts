/**
 * A loop that a floating-point program is made of: how long points of the plane stay near, 32 by 24 of them, at most 100 steps each
 * (Mandelbrot's set). As gcc compiles it for the three formats: SSE for two, the x87 for the third. In C:
 *
 *     for (y = 0; y < 24; y++) for (x = 0; x < 32; x++) {
 *       real cr = x * (real)0.09375 - 2, ci = y * (real)0.09375 - (real)1.125, zr = 0, zi = 0; int n = 0;
 *       while (n < 100) { real r2 = zr * zr, i2 = zi * zi; if (r2 + i2 > 4) break; zi = 2 * zr * zi + ci; zr = r2 - i2 + cr; n++; }
 *       total += n;
 *     }
 */

export type FloatKernel = {
  readonly name: string;
  /** A function without arguments, in hex; it lies at any address and returns its answer in RAX. */
  readonly code: string;
  /** Instructions per second that it should reach. */
  readonly goal: number;
};

/** Steps of all points together. */
export const FLOAT_ANSWER = 21372n;

export const FLOAT_KERNELS: readonly FloatKernel[] = [
  {
    name: 'mandelbrot, single',
    goal: 30_000_000,
    code:
      'f30f102d90000000f30f103d9400000031c931f6f3440f10057f000000f30f2ad131d2f30f59d5f30f5cd7f30f2ada0f57c931c00f28c1f30f59ddf3' +
      '410f5cd80f28e00f28f1f30f59e0f30f59f1440f28ccf3440f58ce440f2f0d41000000771ef30f58c0f30f5ce6ffc0f30f59c80f28c4f30f58c3f30f' +
      '58ca83f86475c14898ffc24801c683fa2075a0ffc183f918758b4889f0c366900000c03d00000040000080400000903f',
  },
  {
    name: 'mandelbrot, double',
    goal: 30_000_000,
    code:
      'f20f102d9800000031c931f6f20f1035a4000000f20f103d8c000000f2440f10058b000000f20f2ad131d2f20f59d5f20f5cd6f20f2ada0f57c931c0' +
      '0f28c1f20f59ddf20f5cdf0f28e0440f28c9f20f59e0f2440f59c9440f28d4f2450f58d166450f2fd0771ff20f58c0f2410f5ce1ffc0f20f59c80f28' +
      'c4f20f58c3f20f58ca83f86475c14898ffc24801c683fa2075a1ffc183f918758c4889f0c30f1f00000000000000b83f000000000000004000000000' +
      '00001040000000000000f23f',
  },
  {
    name: 'mandelbrot, x87',
    goal: 1_000_000,
    code:
      '31c9d9ee31f6894c24d8d9058c00000031d2da4c24d8d8258c000000db7c24d8db2d8a00000031c0895424f4da4c24f4d8256a000000d9c1d9c2d9c0' +
      'd8c9d9c2d8cbd9c1d8c1d90558000000d9c9dff1ddd8771fd9cad8c0ffc0decbdb6c24d8dec3dee1d8c283f86475cfddd8ddd8ddd8eb0addd8ddd8dd' +
      'd8ddd8ddd84898ffc24801c683fa207597ffc183f9180f8572ffffffddd84889f0c366900000c03d00000040000080400000903f0f1f400000000000' +
      '000000c0fb3f000000000000',
  },
];
