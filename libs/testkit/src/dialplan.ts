/** What a caller hears who came to the fallback context: Asterisk's own test tone. */
export const FALLBACK_TONE_HZ = 1004;

const FALLBACK_SECONDS = 10;

/** Numbers, the start extension, and names of two letters or more: `h`, `i`, `t` are Asterisk's own. */
const ANY_EXTENSION = ['s', '_[+*#0-9]!', '_[a-zA-Z][a-zA-Z0-9]!'];

/**
 * An extensions.conf that offers each call in context `default` to these Stasis applications in turn, and to the context
 * `callfleet-fallback` when none is served, or when an application gave the call back with `CALLFLEET_STATUS` set. It does
 * not answer: the call program does. The extension `echo` answers and sends the caller's own sound back.
 */
export function stasisDialplan(apps: readonly string[]): string {
  const offer = [
    ...apps.flatMap((app) => [`Stasis(${app})`, 'GotoIf($["${STASISSTATUS}" = "SUCCESS"]?ended)']),
    'Goto(callfleet-fallback,${EXTEN},1)',
  ];
  return `
[general]
[default]
exten => echo,1,Goto(echo,\${EXTEN},1)
${ANY_EXTENSION.map((pattern) =>
  [
    steps(pattern, offer),
    ' same => n(ended),GotoIf($["${CALLFLEET_STATUS}" != ""]?callfleet-fallback,${EXTEN},1)',
    ' same => n,Hangup()',
  ].join('\n'),
).join('\n')}

${fallbackContext()}
[echo]
${ANY_EXTENSION.map((pattern) => steps(pattern, ['Answer()', 'Echo()'])).join('\n')}
`;
}

/** The context `callfleet-fallback`: answers, and plays a tone by which a test knows where the call came to. */
export function fallbackContext(): string {
  const tone = ['Answer()', `Playtones(${FALLBACK_TONE_HZ})`, `Wait(${FALLBACK_SECONDS})`, 'Hangup()'];
  return `[callfleet-fallback]\n${ANY_EXTENSION.map((pattern) => steps(pattern, tone)).join('\n')}\n`;
}

function steps(extension: string, applications: readonly string[]): string {
  const [first, ...others] = applications;
  return [`exten => ${extension},1,${first}`, ...others.map((application) => ` same => n,${application}`)].join('\n');
}
