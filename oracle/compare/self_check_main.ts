/** `self_check_main.ts [MUTANT]`: the judge's self-check in a process of its own; prints what it overlooks as JSON. */
import { plant } from '../mutants/plant.ts';

const [mutant] = process.argv.slice(2);
if (mutant !== undefined) plant(mutant);
const { selfCheck } = await import('./self_check.ts');
const { loadEngine } = await import('../campaign/engines.ts');
const { caseOf } = await import('../campaign/case.ts');
const { EXAMPLES } = await import('../image/index.ts');
process.stdout.write(`${JSON.stringify(selfCheck(await loadEngine('executor'), caseOf(EXAMPLES.events, 0)))}\n`);
