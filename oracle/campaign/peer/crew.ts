/** Worker threads that run our machines, as many as there are processors. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Pool } from '../../peers/pool.ts';
import type { EngineName } from '../engines.ts';
import type { Answer, CrewData, Task } from './worker.ts';

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
const MOST_WORKERS = 4;

export class Crew {
  private readonly pool: Pool;
  private readonly idle: Worker[];
  private readonly all: readonly Worker[];
  private readonly waiting = new Map<Worker, { readonly done: (answer: Answer) => void; readonly failed: (error: Error) => void }>();
  /** Workers that ended, maybe before anybody gave them a task: nothing would come back from them. */
  private readonly ended = new Map<Worker, Error>();

  /** `mutant`: bug to plant in them, null for none. */
  constructor(engines: readonly EngineName[], mutant: string | null = null) {
    const width = Math.max(1, Math.min(MOST_WORKERS, availableParallelism()));
    this.pool = new Pool(width);
    this.all = Array.from({ length: width }, () => new Worker(WORKER, { workerData: { engines, mutant } satisfies CrewData }));
    this.idle = [...this.all];
    for (const worker of this.all) {
      worker.on('message', (answer: Answer) => this.waiting.get(worker)?.done(answer));
      worker.on('error', (error) => {
        this.ended.set(worker, error);
        this.waiting.get(worker)?.failed(error);
      });
    }
  }

  /** Throws when the worker itself fails. */
  show(task: Task): Promise<Answer> {
    return this.pool.run(async () => {
      const worker = this.idle.pop()!;
      try {
        return await new Promise<Answer>((done, failed) => {
          const error = this.ended.get(worker);
          if (error) return failed(error);
          this.waiting.set(worker, { done, failed });
          worker.postMessage(task);
        });
      } finally {
        this.idle.push(worker);
      }
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((worker) => worker.terminate()));
  }
}
