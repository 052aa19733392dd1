/** `xenspec run`: boot a PV ELF as dom0. Standard output is exactly what the domain wrote to its console. */
import { type Command, Option } from 'commander';
import { SHUTDOWN } from '#spec/abi/xen.ts';
import type { MachineConfig } from '#spec/config.ts';
import type { Event } from '#spec/event.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { withEmptyHost } from '#spec/machines/empty_host.ts';
import { isCompatImage, withCompat } from '#spec/machines/pv32.ts';
import { REFERENCE_RELEASE, XEN_RELEASES, type XenRelease } from '#spec/releases/release.ts';
import { TraceWriter } from '#traces/writer.ts';
import { ENGINES, type EngineName, loadEngine } from '../../campaign/engines.ts';
import { type RunResult, runEngine } from '../../campaign/run.ts';
import { Consoles } from '../consoles.ts';
import { crashClauses } from '../crash_clauses.ts';
import { EXIT } from '../exit_code.ts';
import { onFile, readBytes, readKernel } from '../files.ts';
import { headerOfRun, machineFor, machineFromFile } from '../machine.ts';
import { collect, commandLine, wholeNumber } from '../option.ts';
import { say } from '../output.ts';
import { count, LongRun } from '../table.ts';
import { runBare } from './run_bare.ts';

type Options = {
  domU?: readonly string[];
  on: EngineName;
  xen?: XenRelease;
  cmdline: string;
  memory: number;
  initrd?: string;
  domUMemory: number;
  machine?: string;
  limit: number;
  trace?: string;
  consoles?: string;
  host?: 'empty';
  lenient?: true;
  json?: true;
  bare?: true;
  append?: string;
};

const SHUTDOWN_NAME = new Map<number, string>(Object.entries(SHUTDOWN).map(([name, code]) => [code, name]));

/** What a run came to; `stopped` names what is not modelled. */
type Outcome = Omit<RunResult, 'finish' | 'now'> & {
  readonly finish: RunResult['finish'] | 'not_modelled';
  readonly stopped: string | null;
};

const exitCode = ({ finish, halted }: Outcome): number => {
  if (finish === 'limit') return EXIT.limit;
  if (finish === 'not_modelled') return EXIT.notModelled;
  return finish === 'halted' && halted === SHUTDOWN.poweroff ? EXIT.ok : EXIT.crashed;
};

const summary = ({ finish, halted, stopped }: Outcome): string => {
  if (finish === 'limit') return 'stopped at the limit';
  if (finish === 'idle') return 'every vCPU waits for something that cannot come';
  if (finish === 'not_modelled') return `not modelled: ${stopped}`;
  return `dom0 shut down: ${SHUTDOWN_NAME.get(halted ?? -1) ?? halted}`;
};

/** Counts of a run, and who crashed. */
class Tally {
  readonly crashes: { readonly domid: number; readonly why: string }[] = [];
  readonly notModelled = new Map<string, number>();
  hypercalls = 0;
  exceptions = 0;
  callbacks = 0;

  add(event: Event): void {
    if (event.kind === 'hypercall') this.hypercalls++;
    else if (event.kind === 'exception') this.exceptions++;
    else if (event.kind === 'callback') this.callbacks++;
    else if (event.kind === 'crash') this.crashes.push({ domid: event.domid, why: event.why });
    else if (event.kind === 'not_modelled') this.notModelled.set(event.what, (this.notModelled.get(event.what) ?? 0) + 1);
  }

  /** `clauses`: those that decided the first crash. */
  report(on: EngineName, outcome: Outcome, clauses: readonly string[], json: boolean): void {
    const { hypercalls, exceptions, callbacks, crashes, notModelled } = this;
    if (json) {
      const counts = { hypercalls, exceptions, callbacks, crashes, clauses, not_modelled: Object.fromEntries(notModelled) };
      process.stderr.write(`${JSON.stringify({ engine: on, ...outcome, ...counts })}\n`);
      return;
    }
    for (const { domid, why } of crashes) say(`d${domid} crashed: ${why}`);
    if (clauses.length > 0) say(`decided by the clauses ${clauses.join(', ')} (xenspec explain CLAUSE)`);
    for (const [what, times] of notModelled) say(`not modelled, answered -ENOSYS: ${what} (${count(times)}×)`);
    const parts = [`${count(outcome.retired)} instructions`, `${count(hypercalls)} hypercalls`, `${exceptions} exceptions`];
    say(`${summary(outcome)}; ${[...parts, `${callbacks} callbacks`].join(', ')} on ${on}`);
  }
}

const MOST_INITRD_BYTES = 256 * 1024 * 1024;

/** Options that belong to Xen's domains. */
const XEN_ONLY = ['xen', 'initrd', 'domU', 'machine', 'trace', 'consoles', 'host'] as const;

export const runCommand = async (image: string, options: Options): Promise<number> => {
  if (options.bare) {
    const wrong = XEN_ONLY.find((name) => options[name] !== undefined);
    if (wrong !== undefined) throw new BadInput(`--bare has no hypervisor, so --${wrong} means nothing with it`);
    return runBare(image, { ...options, append: options.append ?? options.cmdline });
  }
  if (options.append !== undefined) throw new BadInput('--append belongs to --bare; a domain has --cmdline');
  const paths = [image, ...(options.domU ?? [])];
  const kernels = await Promise.all(paths.map(readKernel));
  const lenient = options.lenient ?? false;
  const machine =
    options.machine === undefined
      ? placed(machineFor({ ...options, domains: kernels.length, lenient }), kernels)
      : { ...machineFromFile(options.machine, kernels.length), lenient, ...(options.xen === undefined ? {} : { release: options.xen }) };
  const host = options.host === 'empty' ? withEmptyHost(machine) : machine;
  const { config, images } = options.initrd === undefined ? { config: host, images: kernels } : withInitrd(host, kernels, options);
  const boot = await loadEngine(options.on);
  const engine = naming(paths, () => boot(config, images));

  const domids = config.domains.map((d) => d.domid);
  const consoles = new Consoles(domids, options.consoles ?? null);
  const { trace } = options;
  const writer = trace === undefined ? null : onFile(trace, () => new TraceWriter(trace, headerOfRun(options.on, image, config, images)));
  const tally = new Tally();
  const long = new LongRun();
  const onEvent = (event: Event): void => {
    tally.add(event);
    if (writer) onFile(trace!, () => writer.write({ record: 'event', event }));
    if (event.kind === 'console') consoles.write(event);
  };

  let retired = 0;
  const onInput = (steps: number): void => {
    retired = steps;
    long.tick(() => `${count(steps)} instructions so far`);
  };
  let outcome: Outcome;
  try {
    const { finish, halted, retired: all } = runEngine(engine, { limit: options.limit, onEvent, onInput });
    outcome = { finish, halted, retired: all, stopped: null };
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
    outcome = { finish: 'not_modelled', halted: null, retired, stopped: error.what };
  } finally {
    consoles.close();
  }
  if (writer)
    onFile(trace!, () => {
      writer.write({ record: 'end', finish: outcome.finish, reason: outcome.halted, retired: outcome.retired });
      writer.close();
    });
  const clauses = tally.crashes.some(({ why }) => why !== 'guest-request') ? await crashClauses(config, images, outcome.retired) : [];
  tally.report(options.on, outcome, clauses, options.json ?? false);
  return exitCode(outcome);
};

/** With what Xen keeps for 32-bit domains when one of the kernels is such. */
const placed = (machine: MachineConfig, kernels: readonly Uint8Array[]): MachineConfig =>
  kernels.some(isCompatImage) ? withCompat(machine) : machine;

/** Domain 0 gets a RAM disk from a file. Throws BadInput. */
const withInitrd = (machine: MachineConfig, kernels: readonly Uint8Array[], { initrd = '', trace }: Options) => {
  if (trace !== undefined) throw new BadInput('a trace has no place for an --initrd');
  const disk = readBytes(initrd, MOST_INITRD_BYTES);
  if (disk.length === 0) throw new BadInput(`${initrd}: an empty initrd`);
  const [dom0, ...others] = machine.domains;
  return { config: { ...machine, domains: [{ ...dom0!, initrd: disk.length }, ...others] }, images: [...kernels, disk] };
};

/** Engines know images by their place only: say which files were meant. */
const naming = <T>(paths: readonly string[], action: () => T): T => {
  try {
    return action();
  } catch (error) {
    if (error instanceof BadInput) throw new BadInput(`${paths.join(', ')}: ${error.message}`);
    if (error instanceof NotModelled) throw new NotModelled(`${error.what} (${paths.join(', ')})`);
    throw error;
  }
};

export const addRun = (program: Command, done: (code: number) => void): void => {
  program
    .command('run')
    .description(
      'boot a PV ELF image (64-bit, or 32-bit with PAE) as dom0, or a multiboot or PVH image on a bare machine; standard output is what it writes to its console',
    )
    .argument('<image>', 'ELF file with Xen notes, or a bzImage that holds one; with --bare a multiboot or PVH image')
    .option('--bare', 'no hypervisor: a PC with serial port, debugcon and isa-debug-exit, whose status becomes the exit code')
    .option('--append <text>', "with --bare: the image's command line", commandLine)
    .addOption(
      new Option('--xen <release>', `release of Xen (default: ${REFERENCE_RELEASE}, or what --machine says)`).choices([...XEN_RELEASES]),
    )
    .option('--domU <image>', 'one more domain from this image; repeat for more', collect)
    .addOption(new Option('--on <engine>', 'engine').choices([...ENGINES]).default('executor'))
    .option('--initrd <file>', "dom0's initial RAM disk")
    .option('--cmdline <text>', "dom0's command line", commandLine, '')
    .option('--memory <MiB>', 'memory of dom0, or of the bare machine (at most 2048)', wholeNumber(4, 4096), 128)
    .option('--domU-memory <MiB>', 'memory of each further domain', wholeNumber(4, 1024), 16)
    .addOption(
      new Option('--machine <file>', "the machine's configuration, as in a counterexample's machine.json").conflicts([
        'cmdline',
        'memory',
        'domUMemory',
      ]),
    )
    .addOption(
      new Option('--host <kind>', "what is behind dom0's ports: without it the devices of a PC, which stop the run").choices(['empty']),
    )
    .option('--limit <instructions>', 'stop after so many', wholeNumber(1), 4_000_000_000)
    .option('--trace <file>', 'write a trace of all events')
    .option('--consoles <directory>', "write the other domains' consoles to files dN.console there instead of standard error")
    .option(
      '--lenient',
      'answer -ENOSYS where something is not modelled, and count it; with --bare: hardware that is not modelled is absent',
    )
    .option('--json', 'summary as JSON, the last line of standard error')
    .addHelpText(
      'after',
      '\nExit codes: 0 after SHUTDOWN_poweroff, 3 after a crash, a hang or another shutdown, 4 at the limit, 5 not modelled, 2 bad input.' +
        '\nWith --bare as QEMU: twice the value written to isa-debug-exit, and one (so let images write 16 and more, to be told from the others); 3 after a triple fault, a reset or a halt without end.' +
        '\n\nExamples:\n  xenspec run hello.elf --cmdline "quiet" --limit 1000000 --trace hello.trace.gz' +
        '\n  xenspec run /boot/vmlinuz --host empty --memory 256 --cmdline "console=hvc0 earlyprintk=xen acpi=off pci=off xen.fifo_events=0 panic=1" --lenient' +
        '\n  xenspec run backend.elf --domU frontend.elf --consoles logs' +
        '\n  xenspec run --bare kernel.elf --append "quiet" --memory 64',
    )
    .action(async (image: string, options: Options) => done(await runCommand(image, options)));
};
