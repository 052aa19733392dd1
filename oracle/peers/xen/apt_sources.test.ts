import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { archivesInList, archivesInStanzas, sourcesFor } from './apt_sources.ts';
import { fetchXen } from './fetch.ts';

const STANZAS = `Types: deb
# a remark
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://other.example/debian
Suites: bookworm
`;

it('takes another suite from where this machine fetches its own', () => {
  expect(sourcesFor('trixie', archivesInStanzas(STANZAS))).toBe(
    'deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example/debian trixie main\n' +
      'deb http://mirror.example/debian-security trixie-security main\n',
  );
});

it('reads the format of one line, too', () => {
  const archives = archivesInList(
    '# deb http://no.example/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm main contrib\n',
  );
  expect(archives).toEqual([{ uri: 'http://m.example/debian', suites: ['bookworm'], signedBy: '/k.gpg' }]);
});

it('says so when no source is one of Debian', () => {
  expect(sourcesFor('bullseye', archivesInList('deb http://m.example/tools nodistro main'))).toBeNull();
  const empty = mkdtempSync(join(tmpdir(), 'xenspec-apt-'));
  try {
    expect(fetchXen('4.14', empty, empty)).toEqual({ failed: expect.stringContaining("no archive of Debian's") });
  } finally {
    rmSync(empty, { recursive: true });
  }
});
