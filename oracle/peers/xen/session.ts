/** Many runs on real Xen, on machines that are kept from one run to the next. */
import type { MachineConfig } from '#spec/config.ts';
import type { Guest } from '../../image/toolstack/module.ts';
import type { FarmBoot, Recording, RecordOptions, Session } from '../peer.ts';
import { Pool } from '../pool.ts';
import { bootXen } from './boot.ts';
import { Cradle } from './cradle.ts';
import { farm } from './farm.ts';
import { checkMachine } from './qemu.ts';
import { recordingOf } from './recording.ts';

const TIMEOUT_SECONDS = 30;

export class XenSession implements Session {
  private readonly qemu: string;
  private readonly xen: Uint8Array;
  private readonly pool: Pool;
  /** Cradles that nobody uses at the moment, by what they were booted as. */
  private readonly idle = new Map<string, Cradle[]>();

  constructor(qemu: string, xen: Uint8Array, width: number) {
    this.qemu = qemu;
    this.xen = xen;
    this.pool = new Pool(width);
  }

  async record(images: readonly Uint8Array[], machine: MachineConfig, options: RecordOptions = {}): Promise<Recording> {
    checkMachine(machine);
    const timeout = options.timeoutSeconds ?? TIMEOUT_SECONDS;
    return this.pool.run(async () => {
      const started = performance.now();
      const seconds = (): number => (performance.now() - started) / 1000;
      if (!Cradle.fits(images))
        return recordingOf(await bootXen(this.qemu, this.xen, images, machine, timeout), machine, timeout, seconds());
      const cradle = await this.cradleFor(machine);
      try {
        const boot = await cradle.run(images, timeout);
        this.idle.get(JSON.stringify(machine))?.push(cradle);
        return recordingOf(boot, machine, timeout, seconds());
      } catch (error) {
        await cradle.stop();
        const why = error instanceof Error ? error.message : String(error);
        return recordingOf({ log: '', stopped: 'exited', complaint: why }, machine, timeout, seconds());
      }
    });
  }

  async farm(guests: readonly Guest[], machine: MachineConfig, options: RecordOptions = {}): Promise<FarmBoot> {
    return this.pool.run(() => farm(this.qemu, this.xen, guests, machine, options.timeoutSeconds ?? TIMEOUT_SECONDS));
  }

  async close(): Promise<void> {
    const all = [...this.idle.values()].flat();
    this.idle.clear();
    await Promise.all(all.map((cradle) => cradle.stop()));
  }

  private async cradleFor(machine: MachineConfig): Promise<Cradle> {
    const key = JSON.stringify(machine);
    const free = this.idle.get(key);
    if (!free) this.idle.set(key, []);
    return free?.pop() ?? Cradle.start(this.qemu, this.xen, machine);
  }
}
