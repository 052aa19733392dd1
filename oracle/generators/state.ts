/** What a generator believes about the domain that runs its program: enough to name handles that are probably valid. */
import type { Literal, Step, Value } from '#spec/program.ts';
import type { Random } from './random.ts';

export const SELF = 0x7ff0;

/** What pool pages are for. Steps print what stands in data pages only. */
export const PAGES = {
  data: [0, 1, 2, 3, 4, 5],
  tables: [6],
  /** Copies of a top-level table, which keep what Xen put into its own slots: that differs between machines. */
  copy: 7,
  /** Addresses whose mappings programs change. */
  windows: [8, 9, 10, 11],
  /** Device memory is mapped here, and never looked at. */
  device: 12,
  vcpu_info: 13,
  /** Xen writes times here. */
  times: 14,
  stack: 15,
} as const;

export type Port = { readonly value: Value; readonly number: number; readonly kind: 'unbound' | 'interdomain' | 'virq' | 'ipi' };
export type Mapping = { readonly handle: Value; readonly page: number; readonly readonly: boolean; readonly byEntry: boolean };

/** Where the runtime's handlers of other domains, ports and grants begin when two domains run. */
export class DomainState {
  readonly domid: number;
  readonly two: boolean;
  readonly ports: Port[] = [];
  private readonly used = new Set<number>([0]);
  grantTable = false;
  /** Version of its grant table; null when it may be either, and entries would mean something else in each. */
  grantVersion: 1 | 2 | null = 1;
  /** References with an entry, and whether it is read-only. */
  readonly entries: { readonly ref: number; readonly readonly: boolean; readonly dom: number; readonly page: number }[] = [];
  readonly mappings: Mapping[] = [];
  timer: Port | undefined;
  /** Tables that were made: page and level. */
  readonly pinned: number[] = [];
  infoMoved = false;
  nmi = false;

  constructor(domid: number, two: boolean) {
    this.domid = domid;
    this.two = two;
    if (two) {
      this.used.add(1);
      this.grantTable = domid === 1;
    }
  }

  /** Note a new port; its number is a guess for the case that the step which makes it is gone. */
  addPort(step: number, field: string, kind: Port['kind']): Port {
    let number = 1;
    while (this.used.has(number)) number++;
    this.used.add(number);
    const port: Port = { value: { step, of: field, else: number }, number, kind };
    this.ports.push(port);
    return port;
  }

  removePort(port: Port): void {
    const i = this.ports.indexOf(port);
    if (i >= 0) this.ports.splice(i, 1);
    this.used.delete(port.number);
    if (this.timer === port) this.timer = undefined;
  }

  clearPorts(): void {
    this.ports.length = 0;
    this.used.clear();
    this.used.add(0);
    this.timer = undefined;
  }
}

/** What families of steps draw from. */
export class Generation {
  readonly r: Random;
  readonly domains: readonly DomainState[];
  private next = 1;
  /** The domain whose steps are made. */
  domain = 0;

  constructor(r: Random, domains: number) {
    this.r = r;
    this.domains = Array.from({ length: domains }, (_, domid) => new DomainState(domid, domains > 1));
  }

  get state(): DomainState {
    return this.domains[this.domain];
  }

  /** The other domain, when there is one. */
  get peer(): DomainState | undefined {
    return this.domains[1 - this.domain];
  }

  /** Number of the next step. */
  id(): number {
    return this.next++;
  }

  /** A step of the domain. */
  step<T extends Omit<Step, 'id' | 'domain'>>(rest: T, id = this.id()): Step {
    return { id, ...(this.domain === 0 ? {} : { domain: this.domain }), ...rest } as unknown as Step;
  }

  /** A literal as a value. */
  literal(value: Literal): Value {
    return value;
  }
}

/** Makes the next steps; an empty list when there is nothing to do in this state. */
export type Family = { readonly weight: number; readonly make: (g: Generation) => readonly Step[] };
