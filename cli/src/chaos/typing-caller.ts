/** What a caller of `chaos gateway` presses, one digit each 300 ms. */
export const TYPED = '123456789012';

export const TYPING_CONTEXT = 'callfleet-typing-caller';

/** The far half of a Local channel: somebody who presses digits, and hangs up. */
export const typingContext = () => `[${TYPING_CONTEXT}]
exten => s,1,Answer()
 same => n,Wait(1)
 same => n,SendDTMF(${TYPED},200,100)
 same => n,Wait(1)
 same => n,Hangup()
`;
