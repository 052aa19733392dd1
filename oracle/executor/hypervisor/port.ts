/** One event channel of a domain. The pending and mask bits live in guest memory (shared info or event words), not here. */

export const ECS = { free: 0, reserved: 1, unbound: 2, interdomain: 3, pirq: 4, virq: 5, ipi: 6 } as const;

export class Port {
  readonly port: number;
  /** One of ECS. */
  state: number = ECS.free;
  /** vCPU that is notified. */
  vcpu = 0;
  /** unbound: domid that may bind; interdomain: the peer's domid. */
  remoteDom = 0;
  /** interdomain: the peer's port. */
  remotePort = 0;
  /** virq, pirq: its number. */
  number = 0;
  /** FIFO ABI: its priority; the queue in which it was linked last; whether it waits for its event word. All outlive the channel and the ABI. */
  priority = 0;
  lastVcpu = 0;
  lastPriority = 0;
  kept = false;

  constructor(port: number) {
    this.port = port;
  }
}
