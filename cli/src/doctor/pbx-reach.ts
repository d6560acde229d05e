import { AriError, type AriRequester, asterisk } from '@callfleet/ari';
import type { ReachablePbx } from '@callfleet/config';
import { reasonOf } from './connection-reason.ts';
import type { Finding, Findings } from './finding.ts';
import { type AsteriskFacts, asteriskInfoSchema } from './pbx-check.ts';
import { whoAnswers } from './who-answers.ts';

export interface Reached {
  readonly findings: Finding[];
  /** Undefined: there is nothing more to look at. */
  readonly facts?: AsteriskFacts;
}

/** Asks Asterisk who it is: address, TLS, HTTP server, ARI and password in one request. */
export async function reachPbx(
  about: Findings,
  pbx: ReachablePbx,
  ari: AriRequester,
  limitMs: number,
): Promise<Reached> {
  const begin = performance.now();
  try {
    const answer = await ari.request(asterisk.getInfo());
    const facts = asteriskInfoSchema.safeParse(answer.body);
    if (!answer.ok || !facts.success) return { findings: [await notAsterisk(about, pbx, limitMs)] };
    const tookMs = Math.round(performance.now() - begin);
    return {
      findings: [
        about.ok('reachable', `${pbx.url} answers in ${tookMs} ms`),
        about.ok('ari password', `accepted for user "${pbx.username}"`),
      ],
      facts: facts.data,
    };
  } catch (error) {
    if (!(error instanceof AriError)) throw error;
    return { findings: [await explain(about, pbx, error, limitMs)] };
  }
}

async function explain(about: Findings, pbx: ReachablePbx, error: AriError, limitMs: number): Promise<Finding> {
  switch (error.code) {
    case 'CF_ARI_UNAUTHORIZED':
      return about.problem(
        'ari password',
        `refused for user "${pbx.username}"`,
        `compare username and password with [${pbx.username}] in ari.conf (it needs type=user), then: asterisk -rx 'module reload res_ari.so'. With crypt the password here is the plain one`,
      );
    case 'CF_ARI_NOT_FOUND':
    case 'CF_ARI_UNEXPECTED':
      return notAsterisk(about, pbx, limitMs);
    case 'CF_ARI_NOT_READY':
      return about.problem('reachable', `${pbx.url} is starting or shutting down`, 'wait until it is up');
    default: {
      const { found, mend } = unreached(pbx, error);
      return about.problem(error.code === 'CF_ARI_TLS' ? 'tls' : 'reachable', found, mend);
    }
  }
}

async function notAsterisk(about: Findings, pbx: ReachablePbx, limitMs: number): Promise<Finding> {
  const { isAsterisk, server, prefix } = await whoAnswers(pbx.url, limitMs);
  if (prefix !== undefined)
    return about.problem(
      'ari',
      `${pbx.url} is Asterisk's HTTP server, and ARI is below "/${prefix}"`,
      `add /${prefix} to the url, or take prefix out of http.conf`,
    );
  if (isAsterisk)
    return about.problem(
      'ari',
      `${pbx.url} is Asterisk's HTTP server, but has no ARI`,
      "enabled=yes in [general] of ari.conf, and load the modules: asterisk -rx 'module show like res_ari'. If http.conf has a prefix, add it to the url",
    );
  return about.problem(
    'ari',
    `${pbx.url} is answered by ${server ?? 'an unnamed HTTP server'}, not by Asterisk's ARI`,
    'mend url: the address and bindport (8088) of http.conf; a proxy in between must pass /ari/ and /media/ on',
  );
}

function unreached(pbx: ReachablePbx, error: AriError): { found: string; mend: string } {
  const { host, hostname, protocol } = new URL(pbx.url);
  switch (error.code) {
    case 'CF_ARI_TIMEOUT':
      return {
        found: `${host} does not answer: no connection, or no answer, in time`,
        mend: 'a firewall that drops packets, a wrong address, or an Asterisk that hangs: core show threads',
      };
    case 'CF_ARI_CLOSED':
      return {
        found: `${host} closes the connection without an answer`,
        mend:
          protocol === 'http:'
            ? 'raise sessionlimit in http.conf (its default of 100 is soon reached); or the port is for TLS: use https://'
            : 'raise sessionlimit in http.conf: its default of 100 is soon reached',
      };
    default:
      return reasonOf(error.cause, { host, hostname }) ?? { found: error.message, mend: 'check url and the network' };
  }
}
