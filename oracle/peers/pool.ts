/** Runs at most `width` tasks at once, the others wait in order. */
export class Pool {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(width: number) {
    this.free = width;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((go) => this.waiting.push(go));
    try {
      return await task();
    } finally {
      // A place is handed over, never freed and taken again, so that nobody overtakes.
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }
}
