import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BareConfig } from '#spec/bare/machine.ts';
import { devicePrograms } from '../../generators/bare/device_program.ts';
import { compareDevices } from './device_check.ts';

const config: BareConfig = { frames: 4096, cpuid: [], tsc_khz: 1000, random: [], wallclock_sec: 951_782_299, cmdline: '' };

/** Always the same programs: differences that one in many thousands shows are for campaigns to find, not for a change to stumble over. */
const SEED = 8254;

test('the devices of model and executor answer alike and hold the same, whatever is done to them', () => {
  fc.assert(
    fc.property(devicePrograms, (program) => compareDevices(config, program) === null),
    { numRuns: 1500, seed: SEED },
  );
}, 60_000);

test('nor do they differ when what is missing is taken as absent', () => {
  const lenient = { ...config, lenient: true };
  fc.assert(
    fc.property(devicePrograms, (program) => compareDevices(lenient, program) === null),
    { numRuns: 500, seed: SEED },
  );
}, 60_000);

test('clocks that are a second apart differ', () => {
  const later = { ...config, wallclock_sec: config.wallclock_sec + 1 };
  expect(compareDevices(config, [{ kind: 'time', pass: 1 }], later)).toMatchObject({ step: 0 });
});
