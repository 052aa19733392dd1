import { takeCoverage } from 'node:v8';
import { afterAll } from 'vitest';

// vitest ends its workers by a signal, which leaves Node no time to write the coverage that c8 collects.
if (process.env.NODE_V8_COVERAGE) afterAll(() => takeCoverage());
