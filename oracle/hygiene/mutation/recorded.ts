/** Recordings of real Xen as tests of the model, for mutants that they may notice: those whose names begin as main.ts was told. */
import { expect, it } from 'vitest';
import { carryOut, recordings } from '../../campaign/clause_scripts.ts';
import { RECORDINGS_VARIABLE } from './targets.ts';

const prefix = process.env[RECORDINGS_VARIABLE];
const chosen = prefix === undefined ? [] : recordings().filter((file) => file.startsWith(prefix));

it.each(chosen)('%s', async (file) => expect(await carryOut('model', file)).toMatchObject({ verdict: 'accepted' }));
