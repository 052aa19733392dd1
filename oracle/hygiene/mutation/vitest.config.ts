import { defineConfig, mergeConfig } from 'vitest/config';
import house from '../../../vitest.config.ts';
import { TARGET_VARIABLE, TARGETS, type TargetName } from './targets.ts';

const target = TARGETS[process.env[TARGET_VARIABLE] as TargetName];

// As every test runs, but each run with modules of its own: a mutant of a constant shows only when its module is loaded anew.
const config = mergeConfig(house, defineConfig({ test: { isolate: true } }));
config.test.include = [...target.tests];
export default config;
