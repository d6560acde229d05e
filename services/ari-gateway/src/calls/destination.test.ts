import { expect, test } from 'vitest';
import { destinationOf } from './destination.ts';

const trunk = { name: 'trunk-a', endpoint: 'PJSIP/{number}@carrier', maxCalls: 1 };
const to = (text: string) => destinationOf(text, [trunk]);

test.each(['PJSIP/alice', 'PJSIP/alice/sip:alice@sip.example.com:5060', 'Local/500@queues'])(
  '%s is an endpoint',
  (endpoint) => {
    expect(to(endpoint)).toEqual({ endpoint, number: endpoint.slice(endpoint.indexOf('/') + 1) });
  },
);

test.each(['+4930123', '*98#', 'front.desk_1'])('%s is a number that goes through a trunk', (number) => {
  expect(to(`trunk-a:${number}`)).toEqual({ endpoint: `PJSIP/${number}@carrier`, number, trunk });
});

test.each(['PJSIP/+4930123@carrier', 'pjsip/1@Carrier', 'PJSIP/carrier/sip:+4930123@sip.example.com:5060'])(
  '%s goes out through a trunk too',
  (endpoint) => {
    expect(to(endpoint)).toEqual({ endpoint, number: endpoint.slice(endpoint.indexOf('/') + 1), trunk });
  },
);

test.each(['PJSIP/@carrier', 'PJSIP/1@carrier-b', 'PJSIP/carrier-b/sip:1@carrier', 'SIP/1@carrier'])(
  '%s does not',
  (endpoint) => {
    expect(to(endpoint)).not.toHaveProperty('trunk');
  },
);

test('a trunk that is not there is told with those that are', () => {
  expect(to('trunk-b:1')).toEqual({
    code: 'CF_TRUNK_UNKNOWN',
    message: 'there is no trunk "trunk-b"; there is trunk-a',
  });
});

test.each([
  '',
  'alice',
  'PJSIP',
  'PJSIP/',
  'PJSIP/a&PJSIP/b',
  'trunk-a:',
  'trunk-a:1@elsewhere',
  'trunk-a:1/n',
  'trunk-a:1&PJSIP/2',
  'trunk-a:1\n',
])('%j can not be called', (text) => {
  expect(to(text)).toMatchObject({ code: 'CF_BAD_DESTINATION' });
});
