/** `xenspec run`: boot a PV ELF as dom0. Standard output is exactly what the domain wrote to its console. */
import { createWriteStream, mkdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { SHUTDOWN } from '#spec/abi/xen.ts';
import type { MachineConfig } from '#spec/config.ts';
import type { Event } from '#spec/event.ts';
import { BadInput } from '#spec/failure.ts';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import { sha256, writeTrace } from '#traces/file.ts';
import { TRACE_FORMAT, TRACE_VERSION, type TraceRecord } from '#traces/format.ts';
import { ENGINES, type EngineName, loadEngine } from '../../campaign/engines.ts';
import { DEFAULT_POLICY } from '../../campaign/environment.ts';
import { type RunResult, runEngine } from '../../campaign/run.ts';
import { EXIT } from '../exit_code.ts';
import { readImage, writing } from '../files.ts';
import { collect, commandLine, wholeNumber } from '../option.ts';
import { version } from '../version.ts';

type Options = {
  domU?: readonly string[];
  on: EngineName;
  cmdline: string;
  memory: number;
  domUMemory: number;
  limit: number;
  trace?: string;
  consoles?: string;
  lenient?: true;
  json?: true;
};

const SHUTDOWN_NAME = new Map<number, string>(Object.entries(SHUTDOWN).map(([name, code]) => [code, name]));

/** Writes the consoles as they come: dom0's raw to standard output, the others by whole lines with a prefix, or to files. */
class ConsoleSink {
  private readonly partial = new Map<number, string>();
  private readonly directory: string | undefined;
  private readonly files = new Map<number, ReturnType<typeof createWriteStream>>();
  constructor(directory: string | undefined) {
    this.directory = directory;
    if (directory !== undefined) writing(directory, () => mkdirSync(directory, { recursive: true }));
  }
  write(event: Extract<Event, { kind: 'console' }>): void {
    const bytes = Buffer.from(event.bytes, 'latin1');
    if (event.domid === 0) writeAll(1, bytes);
    else if (this.directory !== undefined) this.file(event.domid).write(bytes);
    else this.writeLines(event);
  }
  private writeLines(event: Extract<Event, { kind: 'console' }>): void {
    const lines = ((this.partial.get(event.domid) ?? '') + event.bytes).split('\n');
    this.partial.set(event.domid, lines.pop()!);
    for (const line of lines) writeAll(2, Buffer.from(`(d${event.domid}) ${line}\n`, 'latin1'));
  }
  close(): void {
    for (const [domid, rest] of this.partial) if (rest !== '') writeAll(2, Buffer.from(`(d${domid}) ${rest}\n`, 'latin1'));
    for (const file of this.files.values()) file.end();
  }
  private file(domid: number) {
    let file = this.files.get(domid);
    if (!file) {
      file = createWriteStream(join(this.directory!, `d${domid}.console`));
      this.files.set(domid, file);
    }
    return file;
  }
}

/** Write everything, also to a pipe that takes its time. */
const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EPIPE') process.exit(EXIT.ok);
      if (code !== 'EAGAIN') throw error;
    }
  }
};

const machineFor = (options: Options, images: number): MachineConfig => {
  const domains = [
    dom0(options.cmdline, options.memory),
    ...Array.from({ length: images - 1 }, (_, i) => domU(i + 1, '', options.domUMemory)),
  ];
  const config = debian_4_17(domains, options.lenient ?? false);
  const pages = domains.reduce((sum, d) => sum + d.pages, 0);
  const room = config.frames - config.layout.domheap_first;
  if (pages <= room) return config;
  // A machine larger than the default one, when the domains ask for it.
  return { ...config, frames: Math.ceil((config.layout.domheap_first + pages) / 512) * 512 };
};

const exitCode = (result: RunResult): number => {
  if (result.finish === 'limit') return EXIT.limit;
  return result.finish === 'halted' && result.halted === SHUTDOWN.poweroff ? EXIT.ok : EXIT.crashed;
};

export const summary = (result: RunResult): string => {
  if (result.finish === 'limit') return `stopped at the limit of ${result.retired} instructions`;
  if (result.finish === 'idle') return 'every vCPU waits for something that cannot come';
  return `dom0 shut down: ${SHUTDOWN_NAME.get(result.halted ?? -1) ?? result.halted}`;
};

export const runCommand = async (image: string, options: Options): Promise<number> => {
  const paths = [image, ...(options.domU ?? [])];
  const images = paths.map(readImage);
  const config = machineFor(options, images.length);
  const boot = await loadEngine(options.on);
  const sink = new ConsoleSink(options.consoles);
  const records: TraceRecord[] = [];
  const notModelled = new Map<string, number>();
  const counts = { hypercalls: 0, exceptions: 0, callbacks: 0 };
  const onEvent = (event: Event): void => {
    if (event.kind === 'console') sink.write(event);
    else if (event.kind === 'hypercall') counts.hypercalls++;
    else if (event.kind === 'exception') counts.exceptions++;
    else if (event.kind === 'callback') counts.callbacks++;
    else if (event.kind === 'not_modelled') notModelled.set(event.what, (notModelled.get(event.what) ?? 0) + 1);
    else if (event.kind === 'crash') process.stderr.write(`xenspec: d${event.domid} crashed: ${event.why}\n`);
    if (options.trace !== undefined) records.push({ record: 'event', event });
  };
  let result: RunResult | null = null;
  try {
    const engine = boot(config, images);
    result = runEngine(engine, { limit: options.limit, onEvent });
    return exitCode(result);
  } catch (error) {
    // The engines know images by their place only: name the file.
    if (error instanceof BadInput) throw new BadInput(`${paths.join(', ')}: ${error.message}`);
    throw error;
  } finally {
    sink.close();
    if (result) {
      const { finish, halted, retired } = result;
      if (options.json)
        process.stderr.write(
          `${JSON.stringify({ engine: options.on, finish, halted, retired, ...counts, notModelled: Object.fromEntries(notModelled) })}\n`,
        );
      else {
        process.stderr.write(
          `xenspec: ${summary(result)}; ${retired} instructions, ${counts.hypercalls} hypercalls, ${counts.exceptions} exceptions, ${counts.callbacks} callbacks on ${options.on}\n`,
        );
        for (const [what, count] of notModelled) process.stderr.write(`xenspec: not modelled, answered -ENOSYS: ${what} (${count}×)\n`);
      }
      if (options.trace !== undefined) {
        const path = options.trace;
        const header = {
          record: 'header' as const,
          format: TRACE_FORMAT,
          version: TRACE_VERSION,
          producer: { name: options.on, version: version(), details: {} },
          title: image,
          visible: ['console' as const, 'end' as const, 'events' as const],
          machine: config,
          images: images.map((elf, i) => ({
            domid: config.domains[i]!.domid,
            sha256: sha256(elf),
            elf: Buffer.from(elf).toString('base64'),
          })),
          policy: DEFAULT_POLICY,
          program: null,
          seed: null,
          clauses: [],
        } as const;
        writing(path, () =>
          writeTrace(path, {
            header: { ...header, visible: [...header.visible], clauses: [] },
            records: [...records, { record: 'end', finish, reason: halted, retired }],
          }),
        );
      }
    }
  }
};

export const addRun = (program: Command, done: (code: number) => void): void => {
  program
    .command('run')
    .description('boot a PV64 ELF image as dom0; standard output is what it writes to its console')
    .argument('<image>', 'ELF file with Xen notes')
    .option('--domU <image>', 'one more domain from this image; repeat for more', collect)
    .addOption(new Option('--on <engine>', 'engine').choices([...ENGINES]).default('executor'))
    .option('--cmdline <text>', "dom0's command line", commandLine, '')
    .option('--memory <MiB>', "dom0's memory", wholeNumber(4, 4096), 128)
    .option('--domU-memory <MiB>', 'memory of each further domain', wholeNumber(4, 1024), 16)
    .option('--limit <instructions>', 'stop after so many', wholeNumber(1), 4_000_000_000)
    .option('--trace <file>', 'write a trace of all events')
    .option('--consoles <directory>', "write the other domains' consoles to files dN.console there instead of standard error")
    .option('--lenient', 'answer -ENOSYS where something is not modelled, and count it')
    .option('--json', 'summary on standard error as JSON')
    .addHelpText('after', '\nExample:\n  xenspec run hello.elf --cmdline "quiet" --limit 1000000 --trace hello.trace.gz')
    .action(async (image: string, options: Options) => done(await runCommand(image, options)));
};
