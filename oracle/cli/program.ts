/** The command line as a function: arguments in, exit code out. Everything that goes wrong is one line on standard error. */
import { Command, CommanderError } from 'commander';
import { addCheck } from './command/check.ts';
import { addDiff } from './command/diff.ts';
import { addExplain } from './command/explain.ts';
import { addMutants } from './command/mutants.ts';
import { addPeers } from './command/peers.ts';
import { addRecord } from './command/record.ts';
import { addReplay } from './command/replay.ts';
import { addRun } from './command/run.ts';
import { EXIT, EXIT_TEXT } from './exit_code.ts';
import { oneLine, reportFailure } from './failure.ts';
import { version } from './version.ts';

const exitCodes = `Exit codes:\n${EXIT_TEXT.map(([n, text]) => `  ${String(n).padStart(2)}  ${text}`).join('\n')}`;

/** @param args the arguments after the command's own name. */
export const xenspec = async (args: readonly string[]): Promise<number> => {
  let code: number = EXIT.ok;
  const done = (result: number): void => {
    code = result;
  };
  const program = new Command('xenspec')
    .description('An executable specification of the Xen hypervisor, and the judge that holds implementations to it')
    .version(version())
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeErr: (text) => process.stderr.write(text),
      outputError: (text, write) => write(`xenspec: ${oneLine(text.replace(/^error: /, ''))}\n`),
    })
    .addHelpText('after', `\n${exitCodes}\n\nExample:\n  xenspec run hello.elf\n  xenspec help run`);
  for (const add of [addRun, addCheck, addRecord, addReplay, addDiff, addExplain, addMutants, addPeers]) add(program, done);
  // Subcommands inherit neither exit override nor output.
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  try {
    if (args.length === 0) {
      process.stderr.write(program.helpInformation());
      return EXIT.badInput;
    }
    await program.parseAsync(args as string[], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    return reportFailure(error);
  }
};
