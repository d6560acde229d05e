import { expect, test } from 'vitest';
import { dialplanFor } from './dialplan.ts';

const steps = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(';'))
    .map((line) => line.trim());

test('a call starts at a random shard, tries each once a round, and falls back when no round has found one', () => {
  expect(steps(dialplanFor({ shards: ['a', 'b', 'c'] }))).toEqual([
    '[callfleet]',
    'exten => _[+0-9]!,1,Set(CALLFLEET_STATUS=)',
    'same => n,Set(CALLFLEET_ROUND=0)',
    'same => n(round),Set(CALLFLEET_TRIED=0)',
    'same => n,Goto(shard${RAND(1,3)})',
    'same => n(shard1),Stasis(a)',
    'same => n,GotoIf($["${STASISSTATUS}" != "FAILED"]?back)',
    'same => n,GotoIf($[${INC(CALLFLEET_TRIED)} >= 3]?unserved)',
    'same => n(shard2),Stasis(b)',
    'same => n,GotoIf($["${STASISSTATUS}" != "FAILED"]?back)',
    'same => n,GotoIf($[${INC(CALLFLEET_TRIED)} >= 3]?unserved)',
    'same => n(shard3),Stasis(c)',
    'same => n,GotoIf($["${STASISSTATUS}" != "FAILED"]?back)',
    'same => n,GotoIf($[${INC(CALLFLEET_TRIED)} < 3]?shard1)',
    'same => n(unserved),GotoIf($[${INC(CALLFLEET_ROUND)} >= 7]?nobody)',
    'same => n,Wait(0.5)',
    'same => n,Goto(round)',
    'same => n(nobody),Set(CALLFLEET_STATUS=NOGATEWAY)',
    'same => n(back),Goto(callfleet-fallback,${EXTEN},1)',
  ]);
});

test('it never answers: that is for the call program', () => {
  expect(steps(dialplanFor({ shards: ['a', 'b'] })).join()).not.toContain('Answer');
});

test('one shard, and contexts of other names', () => {
  expect(steps(dialplanFor({ shards: ['only'], context: 'bots', fallback: 'people' }))).toEqual([
    '[bots]',
    'exten => _[+0-9]!,1,Set(CALLFLEET_STATUS=)',
    'same => n,Set(CALLFLEET_ROUND=0)',
    'same => n(round),Set(CALLFLEET_TRIED=0)',
    'same => n,Goto(shard${RAND(1,1)})',
    'same => n(shard1),Stasis(only)',
    'same => n,GotoIf($["${STASISSTATUS}" != "FAILED"]?back)',
    'same => n(unserved),GotoIf($[${INC(CALLFLEET_ROUND)} >= 7]?nobody)',
    'same => n,Wait(0.5)',
    'same => n,Goto(round)',
    'same => n(nobody),Set(CALLFLEET_STATUS=NOGATEWAY)',
    'same => n(back),Goto(people,${EXTEN},1)',
  ]);
});
