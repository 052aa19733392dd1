#!/usr/bin/env node
/** The command line: `xenspec …` when installed, `npm run -s xenspec -- …` in a checkout. */
import { reportFailure } from './failure.ts';
import { guardStandardOutput } from './output.ts';
import { xenspec } from './program.ts';

const fail = (error: Error): void => process.exit(reportFailure(error));
guardStandardOutput(fail);
process.on('uncaughtException', fail);
process.exitCode = await xenspec(process.argv.slice(2));
