import { callIdOf, resourceId } from '@callfleet/identity';

/** What one event is made of, beside the call's own channel. */
type Scene = readonly string[];

/** A caller comes, and is answered. */
const BEGINNING: Scene = ['StasisStart', 'ChannelStateChange', 'ChannelEnteredBridge'];
/** The conversation: said again and again. */
const MIDDLE: Scene = [
  'PlaybackStarted',
  'ChannelTalkingStarted',
  'ChannelTalkingFinished',
  'ChannelDtmfReceived',
  'PlaybackFinished',
  'ChannelHold',
  'ChannelUnhold',
  'ChannelDtmfReceived',
];
const END: Scene = ['ChannelHangupRequest', 'ChannelLeftBridge', 'StasisEnd', 'ChannelDestroyed'];

/** The events of one bot call, one after another, in the form and size in which Asterisk 22.10.1 sends them. */
export class FakeCall {
  readonly channelId: string;
  readonly #pbx: string;
  readonly #shard: string;
  readonly #length: number;
  readonly #call: ReturnType<typeof callIdOf>;
  readonly #channels: { readonly ringing: string; readonly up: string; readonly gone: string };
  readonly #bridge: string;
  #told = 0;

  /** @param length how many events it has, from the first to the last */
  constructor(pbx: string, shard: string, number: number, length: number) {
    this.#pbx = pbx;
    this.#shard = shard;
    this.#length = length;
    this.channelId = `${pbx}-1763700000.${number}`;
    this.#call = callIdOf(pbx, this.channelId);
    this.#channels = {
      ringing: this.#channel(number, 'Ring', 'Stasis'),
      up: this.#channel(number, 'Up', 'Stasis'),
      gone: this.#channel(number, 'Up', ''),
    };
    this.#bridge = JSON.stringify({
      id: resourceId(this.#call, 'bridge', 1),
      technology: 'simple_bridge',
      bridge_type: 'mixing',
      bridge_class: 'stasis',
      creator: 'Stasis',
      name: '',
      channels: [this.channelId],
      creationtime: '2026-11-21T05:45:41.120+0000',
      video_mode: 'none',
    });
  }

  get isOver(): boolean {
    return this.#told >= this.#length;
  }

  /** Its channel as `GET /channels` has it. */
  get channel(): { readonly id: string } {
    return JSON.parse(this.#channels.up);
  }

  /** @param timestamp as Asterisk writes it */
  next(timestamp: string): string {
    const type = this.#nextType();
    this.#told += 1;
    return `{"type":"${type}","timestamp":"${timestamp}",${this.#details(type)},"asterisk_id":"02:00:00:00:3e:81","application":"${this.#shard}"}`;
  }

  #nextType(): string {
    const toEnd = this.#length - this.#told;
    const type =
      toEnd <= END.length
        ? END[END.length - toEnd]
        : (BEGINNING[this.#told] ?? MIDDLE[(this.#told - BEGINNING.length) % MIDDLE.length]);
    return type ?? '';
  }

  #details(type: string): string {
    const { ringing, up, gone } = this.#channels;
    switch (type) {
      case 'StasisStart':
        return `"args":[],"channel":${ringing}`;
      case 'ChannelDtmfReceived':
        return `"digit":"${this.#told % 10}","duration_ms":${100 + (this.#told % 40)},"channel":${up}`;
      case 'ChannelTalkingFinished':
        return `"duration":${1000 + this.#told},"channel":${up}`;
      case 'ChannelEnteredBridge':
      case 'ChannelLeftBridge':
        return `"bridge":${this.#bridge},"channel":${up}`;
      case 'PlaybackStarted':
      case 'PlaybackFinished': {
        const id = resourceId(this.#call, 'playback', Math.floor((this.#told - BEGINNING.length) / MIDDLE.length) + 1);
        const state = type === 'PlaybackStarted' ? 'playing' : 'done';
        return `"playback":{"id":"${id}","media_uri":"sound:hello-world","target_uri":"channel:${this.channelId}","language":"en","state":"${state}"}`;
      }
      case 'ChannelHangupRequest':
        return `"soft":true,"cause":16,"channel":${up}`;
      case 'ChannelDestroyed':
        return `"cause":16,"cause_txt":"Normal Clearing","channel":${gone}`;
      default:
        return `"channel":${up}`;
    }
  }

  #channel(number: number, state: string, application: string): string {
    return JSON.stringify({
      id: this.channelId,
      name: `PJSIP/trunk-${number.toString(16).padStart(8, '0')}`,
      state,
      protocol_id: `${number.toString(16).padStart(8, '0')}-6c1e-4f7a-9a53-0d4c0f6f2b11`,
      caller: { name: '', number: String(4_930_000_000 + number) },
      connected: { name: '', number: '' },
      accountcode: '',
      dialplan: {
        context: 'default',
        exten: '100',
        priority: 3,
        app_name: application,
        app_data: application === '' ? '' : this.#shard,
      },
      creationtime: '2026-11-21T05:45:41.120+0000',
      language: 'en',
      tenantid: '',
      caller_rdnis: '',
      channelvars: { CALLFLEET_PBX: this.#pbx },
    });
  }
}
