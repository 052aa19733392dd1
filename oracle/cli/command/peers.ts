/** `xenspec peers`: the machines that nobody here wrote, and whether they are on this machine. */
import { type Command, Option } from 'commander';
import { REFERENCE_RELEASE, XEN_RELEASES, type XenRelease } from '#spec/releases/release.ts';
import { listInstructionPeers, listPeers } from '../../peers/peers.ts';
import { fetchXen } from '../../peers/xen/fetch.ts';
import { CACHE_VARIABLE } from '../../peers/xen/packages.ts';
import { EXIT } from '../exit_code.ts';
import { CommandFailure } from '../failure.ts';
import { table } from '../table.ts';

const allPeers = () => [...listPeers(), ...listInstructionPeers()];

/** Name, version and state of each peer; nothing in it depends on where things are installed. */
export const peerRows = (): readonly Record<string, unknown>[] =>
  allPeers().map((peer) =>
    peer.available
      ? { name: peer.name, available: true, version: peer.version, details: peer.details }
      : { name: peer.name, available: false, why: peer.why },
  );

/** Throws CommandFailure when that fails. */
const fetchRelease = (release: XenRelease): void => {
  const fetched = fetchXen(release);
  if ('failed' in fetched) throw new CommandFailure(EXIT.unavailable, `Xen ${release} was not fetched: ${fetched.failed}`);
  process.stderr.write(`fetched Xen ${fetched.version} into ${fetched.folder}\n`);
};

export const addPeers = (program: Command, done: (code: number) => void): void => {
  program
    .command('peers')
    .description(
      'the machines to compare with (xen records; silicon and objdump answer for instructions, qemu and bochs for bare images), and what is missing for them',
    )
    .option('--json', 'machine-readable result')
    .addOption(
      new Option(
        '--fetch-xen <release>',
        `fetch Debian's package of another release from where apt fetches this machine's, into the cache: ~/.cache/xenspec, or what ${CACHE_VARIABLE} names`,
      ).choices(XEN_RELEASES.filter((release) => release !== REFERENCE_RELEASE)),
    )
    .addHelpText(
      'after',
      '\nExit codes: 0, and 69 when a package cannot be fetched.\n\nExamples:\n  xenspec peers --json\n  xenspec peers --fetch-xen 4.14',
    )
    .action((options: { json?: true; fetchXen?: XenRelease }) => {
      if (options.fetchXen !== undefined) fetchRelease(options.fetchXen);
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
