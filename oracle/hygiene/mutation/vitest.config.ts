import { defineConfig, mergeConfig } from 'vitest/config';
import house from '../../../vitest.config.ts';
import { TESTS_VARIABLE } from './targets.ts';

// As every test runs, but each run with modules of its own: a mutant of a constant shows only when its module is loaded anew.
const config = mergeConfig(house, defineConfig({ test: { isolate: true } }));
config.test.include = JSON.parse(process.env[TESTS_VARIABLE] ?? '[]');
export default config;
