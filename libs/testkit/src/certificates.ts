import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** PEM files of one end, and of the authority that signed it. */
export interface CertificateFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority that nobody knows, as a company has one of its own. */
export interface PrivateAuthority {
  /** For a server at 127.0.0.1 or localhost. */
  readonly server: CertificateFiles;
  readonly client: CertificateFiles;
  remove(): Promise<void>;
}

const run = promisify(execFile);

/** Makes it with openssl, which must be on PATH. */
export async function createPrivateAuthority(): Promise<PrivateAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'callfleet-ca-'));
  const file = (name: string) => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = ['req', '-x509', ...key, '-days', '2', '-subj', '/CN=Private Authority'];
  await run('openssl', [...authority, '-keyout', file('ca.key'), '-out', file('ca.crt')]);
  const sign = async (name: string, extensions: string): Promise<CertificateFiles> => {
    const request = [
      'req',
      ...key,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.csr`),
    ];
    await run('openssl', request);
    await writeFile(file(`${name}.ext`), extensions);
    const by = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2'];
    const signed = ['-in', file(`${name}.csr`), '-extfile', file(`${name}.ext`), '-out', file(`${name}.crt`)];
    await run('openssl', ['x509', '-req', ...by, ...signed]);
    return { caFile: file('ca.crt'), certFile: file(`${name}.crt`), keyFile: file(`${name}.key`) };
  };
  return {
    server: await sign('server', 'subjectAltName = IP:127.0.0.1, DNS:localhost\n'),
    client: await sign('client', 'extendedKeyUsage = clientAuth\n'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
