import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['dist/**', 'node_modules/**', 'coverage/**', 'counterexamples/**'],
    // Node runs TypeScript itself, so tests load the very files that `npm start` runs: the speed that a test sees is the
    // speed that users see, and c8 reads coverage from the sources without source maps.
    experimental: { viteModuleRunner: false },
    setupFiles: ['oracle/hygiene/coverage_setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Nothing here keeps state in a module, so files may share a worker, and a run saves a third of a second for each.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
