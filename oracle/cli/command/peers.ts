/** `xenspec peers`: the machines that nobody here wrote, and whether they are on this machine. */
import type { Command } from 'commander';
import { listInstructionPeers, listPeers } from '../../peers/peers.ts';
import { EXIT } from '../exit_code.ts';
import { table } from '../table.ts';

const allPeers = () => [...listPeers(), ...listInstructionPeers()];

/** Name, version and state of each peer; nothing in it depends on where things are installed. */
export const peerRows = (): readonly Record<string, unknown>[] =>
  allPeers().map((peer) =>
    peer.available
      ? { name: peer.name, available: true, version: peer.version, details: peer.details }
      : { name: peer.name, available: false, why: peer.why },
  );

export const addPeers = (program: Command, done: (code: number) => void): void => {
  program
    .command('peers')
    .description(
      'the machines to compare with (xen records; silicon and objdump answer for instructions, qemu and bochs for bare images), and what is missing for them',
    )
    .option('--json', 'machine-readable result')
    .addHelpText('after', '\nExample:\n  xenspec peers --json')
    .action((options: { json?: true }) => {
      if (options.json) process.stdout.write(`${JSON.stringify({ peers: peerRows() }, null, 2)}\n`);
      else {
        const rows = allPeers().map((peer) =>
          peer.available
            ? [
                peer.name,
                peer.version,
                Object.entries(peer.details)
                  .map(([k, v]) => `${k} ${v}`)
                  .join('\n'),
              ]
            : [peer.name, 'unavailable', peer.why],
        );
        process.stdout.write(`${table(['peer', 'version', 'details'], rows)}\n`);
      }
      done(EXIT.ok);
    });
};
