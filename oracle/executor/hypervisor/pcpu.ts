/** A physical CPU: which vCPU it holds. */
import type { Vcpu } from './vcpu.ts';

export class Pcpu {
  readonly id: number;
  /** null: idle. */
  current: Vcpu | null = null;
  /** Whose segment registers it has loaded. */
  loaded: Vcpu | null = null;

  constructor(id: number) {
    this.id = id;
  }
}
